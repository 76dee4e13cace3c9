# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Hooks through which an evaluation disturbs the simulated robot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lbm_policy_node.core.types import Array

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


class Perturbation(Protocol):
    """Changes the scene, the robot or what the sensors report; sees the simulator's true state.

    What it changes in the model lasts until the robot's next reset, which restores the model. Sensors may be
    read several times or not at all within a tick: noise is drawn from `robot.ticks`, never from a stream.
    """

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Called once after the scene of an episode is laid out."""

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Called before each control tick with the command, (3,) m and gripper; returns what is applied."""
        ...

    def on_proprio(
        self, robot: SimulatedRobot, position: Array, gripper_opening: float
    ) -> tuple[Array, float]:
        """Called on the measured hand, (3,) m and opening 0 to 1; returns what the sensors report."""
        ...

    def on_images(self, robot: SimulatedRobot, images: dict[str, Array]) -> dict[str, Array]:
        """Called on rendered images (name -> uint8 (H, W, 3)); returns what the sensors report."""
        ...


class Undisturbed:
    """Hooks that change nothing: a perturbation overrides those that it needs."""

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Leave the scene."""

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Pass the command on."""
        return target, gripper

    def on_proprio(
        self, robot: SimulatedRobot, position: Array, gripper_opening: float
    ) -> tuple[Array, float]:
        """Report the truth."""
        return position, gripper_opening

    def on_images(self, robot: SimulatedRobot, images: dict[str, Array]) -> dict[str, Array]:
        """Report the truth."""
        return images
