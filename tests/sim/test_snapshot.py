# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Going back in an episode gives the same future again."""

import numpy as np
import pytest

from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.robot import MAX_STEP_M, Scene, SimulatedRobot
from lbm_policy_node.sim.snapshot import Snapshot


def drive(robot: SimulatedRobot, ticks: int) -> list[np.ndarray]:
    """Let the expert act; returns the simulator's state after each tick."""
    expert, states = ScriptedExpert(robot.task), []
    for _ in range(ticks):
        delta, gripper = expert.act(robot)
        robot.tick(robot.commanded_position + delta * MAX_STEP_M, gripper)
        states.append(np.concatenate([robot.privileged_observation, robot.environment.data.qpos]))
    return states


@pytest.mark.parametrize("task", ["door-open", "drawer-open", "pick-place"])
def test_the_future_after_going_back_is_the_same(task, make_robot):
    robot = make_robot(task)
    robot.reset(Scene(seed=3))
    drive(robot, 30)
    snapshot = Snapshot.take(robot)
    first, reward = drive(robot, 50), robot.reward
    for _ in range(2):
        snapshot.restore(robot)
        assert robot.ticks == 30
        np.testing.assert_array_equal(drive(robot, 50), first)
        assert robot.reward == reward


def test_going_back_undoes_a_change_of_the_scene(make_robot):
    robot = make_robot("drawer-open")
    robot.reset(Scene(seed=3))
    snapshot = Snapshot.take(robot)
    before = robot.environment.model.body_pos.copy()
    robot.environment.model.body_pos[:, 0] += 0.1
    snapshot.restore(robot)
    np.testing.assert_array_equal(robot.environment.model.body_pos, before)
