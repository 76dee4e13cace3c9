# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a policy for the simulated robot declares."""

import pytest

from lbm_policy_node.policies.policy import ImageFeature, PolicySpec


@pytest.fixture
def policy_spec():
    return PolicySpec(
        kind="test",
        checkpoint_id="0" * 16,
        images=tuple(ImageFeature(f"observation.images.{name}", 32, 32) for name in ("front", "wrist")),
        state_dim=4,
        action_dim=4,
        horizon=16,
        n_obs_steps=1,
        n_action_steps=8,
        step_s=0.05,
        stochastic=False,
        accepts_prefix=False,
        uses_language=False,
        state_names=None,
        action_names=None,
    )
