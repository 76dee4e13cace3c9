# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated robots, and what a policy for them declares."""

import pytest

from lbm_policy_node.policies.policy import ImageFeature, PolicySpec
from lbm_policy_node.sim.robot import SimulatedRobot
from lbm_policy_node.sim.tasks import TASKS


@pytest.fixture(scope="session")
def built_robots(slow):
    return {}


@pytest.fixture(scope="module")
def open_robots(built_robots):
    """Each module gives back the renderers, of 40 MiB each."""
    yield built_robots
    for robot in built_robots.values():
        robot.close()


@pytest.fixture
def make_robot(open_robots):
    """One robot per task and size of pictures, which tests pass on.

    It comes as the last test left it, for building one takes longer than most tests: reset it first, which
    lays out the scene as built.
    """

    def make(name, pixels=32):
        if (name, pixels) not in open_robots:
            open_robots[name, pixels] = SimulatedRobot(TASKS[name], height=pixels, width=pixels)
        robot = open_robots[name, pixels]
        robot.perturbations = ()
        return robot

    return make


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
