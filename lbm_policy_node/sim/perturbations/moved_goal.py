# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The goal moves once the robot has begun to work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.perturbations.perturbation import Undisturbed
from lbm_policy_node.sim.perturbations.scene_objects import OBJECTS, goal_position, move_goal, touch_depth_m

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot

NEAR_M = 0.12
"""Where nothing is touched, the goal moves when the hand is this near to it."""


class MovedGoal(Undisturbed):
    """Displaces the goal once, at first contact with the object (reaching: when the hand is near)."""

    def __init__(self, shift_m: Array) -> None:
        self._shift_m = np.asarray(shift_m, float)
        self.moved = False

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Arm it."""
        self.moved = False

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Move the goal when work on it has begun."""
        if not self.moved and _has_begun(robot):
            self.moved = True
            move_goal(robot, self._shift_m)
        return target, gripper


def _has_begun(robot: SimulatedRobot) -> bool:
    if robot.task.name in OBJECTS:
        return touch_depth_m(robot) is not None
    return bool(np.linalg.norm(robot.position - goal_position(robot)) < NEAR_M)
