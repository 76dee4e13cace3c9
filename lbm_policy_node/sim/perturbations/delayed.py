# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A disturbance that begins in the middle of an episode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.perturbations.perturbation import Perturbation

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


class Delayed:
    """Holds a perturbation's hooks back until some ticks of the episode have passed::

    tick    0 ...        first_tick ...
    inner   not asked    on_reset, then every hook
    """

    def __init__(self, inner: Perturbation, first_tick: int) -> None:
        self._inner, self._first_tick = inner, first_tick
        self._begun = False

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Wait again."""
        self._begun = False

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Begin when it is time."""
        if not self._begun and robot.ticks >= self._first_tick:
            self._begun = True
            self._inner.on_reset(robot)
        return self._inner.before_tick(robot, target, gripper) if self._begun else (target, gripper)

    def on_proprio(
        self, robot: SimulatedRobot, position: Array, gripper_opening: float
    ) -> tuple[Array, float]:
        """Ask the inner one once it has begun."""
        if not self._begun:
            return position, gripper_opening
        return self._inner.on_proprio(robot, position, gripper_opening)

    def on_images(self, robot: SimulatedRobot, images: dict[str, Array]) -> dict[str, Array]:
        """Ask the inner one once it has begun."""
        return self._inner.on_images(robot, images) if self._begun else images
