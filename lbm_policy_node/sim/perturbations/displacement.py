# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The object is somewhere else: a little from the start, or suddenly during the approach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.perturbations.perturbation import Undisturbed
from lbm_policy_node.sim.perturbations.scene_objects import OBJECTS, move_object, touch_depth_m
from lbm_policy_node.sim.tasks import SLIDERS

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


class Teleport(Undisturbed):
    """Moves the object over the table at one instant; the goal of an articulated one moves along.

    Of the drawn direction and its three quarter turns, the first that leaves hand and object apart is taken.
    """

    def __init__(self, *, distance_m: float, angle_rad: float, at_tick: int) -> None:
        self._distance_m, self._angle_rad, self._at_tick = distance_m, angle_rad, at_tick
        self.shift_m: Array | None = None

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Arm it."""
        self.shift_m = None

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Move the object when its time has come."""
        if self.shift_m is None and robot.ticks >= self._at_tick:
            shifts = [self._shift(quarter) for quarter in range(4)]
            self.shift_m = min(shifts, key=lambda shift: _depth_after(robot, shift))  # the first of equals
            move_object(robot, self.shift_m)
        return target, gripper

    def _shift(self, quarter: int) -> Array:
        angle = self._angle_rad + quarter * np.pi / 2
        return self._distance_m * np.array([np.cos(angle), np.sin(angle), 0.0])


def _depth_after(robot: SimulatedRobot, shift_m: Array) -> float:
    """How deep the hand would stick in the object after a shift, m."""
    move_object(robot, shift_m)
    depth = touch_depth_m(robot) or 0.0
    move_object(robot, -shift_m)
    return depth


class SmallShift(Undisturbed):
    """Shifts the object at the start along the axes on which training varied it, not out of that range."""

    def __init__(self, *, distance_m: float, angle_rad: float) -> None:
        self._wanted_m = distance_m * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
        self.shift_m = np.zeros(3)

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Shift it; towards the other side where the drawn one would leave the range."""
        low, high = _training_box(robot)
        here = _base_position(robot)
        mirrored = np.where((here + self._wanted_m < low) | (here + self._wanted_m > high), -1.0, 1.0)
        self.shift_m = np.where(high - low > 0.02, self._wanted_m * mirrored, 0.0)
        move_object(robot, self.shift_m)


def _training_box(robot: SimulatedRobot) -> tuple[Array, Array]:
    if robot.task.name in SLIDERS:
        slider = SLIDERS[robot.task.name]
        return np.array(slider.low), np.array(slider.high)
    space = robot.environment._random_reset_space
    assert space is not None, "every task of Meta-World's declares where it places its object"
    return space.low[:3], space.high[:3]


def _base_position(robot: SimulatedRobot) -> Array:
    return robot.environment.data.body(OBJECTS[robot.task.name].base).xpos.copy()
