# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated robots, and what a policy for them declares."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the helper modules beside this file

from lbm_policy_node.policies.policy import ImageFeature, PolicySpec
from lbm_policy_node.sim.robot import SimulatedRobot
from lbm_policy_node.sim.tasks import TASKS


@pytest.fixture
def make_robot():
    robots = []

    def make(name, pixels=32):
        robots.append(SimulatedRobot(TASKS[name], height=pixels, width=pixels))
        return robots[-1]

    yield make
    for robot in robots:
        robot.close()


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
