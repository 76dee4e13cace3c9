# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the first inference, which loads kernels and allocates memory, before a client waits for it."""

from __future__ import annotations

import time

import numpy as np

from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.policy import Policy, PolicySpec


def grey_observation(spec: PolicySpec) -> Observation:
    """A made-up observation of the right shapes; never for a robot."""
    images = {i.key: np.full((i.height, i.width, 3), 128, np.uint8) for i in spec.images}
    return Observation(0, images, np.zeros(spec.state_dim, np.float32), "warm up")


def warm_up(policy: Policy) -> float:
    """Infer once, throw the answer away, and return how long it took, s."""
    history = [grey_observation(policy.spec)] * policy.spec.n_obs_steps
    began = time.perf_counter()
    policy.infer(history)
    return time.perf_counter() - began
