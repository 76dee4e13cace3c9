# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of the sensors that report the hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.perturbations.noise import generator_at
from lbm_policy_node.sim.perturbations.perturbation import Undisturbed

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True)
class ProprioNoise(Undisturbed):
    """White noise on the reported position, standard deviation sigma_m per axis, and on the opening."""

    sigma_m: float
    sigma_opening: float
    seed: int

    def on_proprio(
        self, robot: SimulatedRobot, position: Array, gripper_opening: float
    ) -> tuple[Array, float]:
        """Add the noise of this tick."""
        noise = generator_at(self.seed, robot.ticks).normal(size=4)
        opening = float(np.clip(gripper_opening + self.sigma_opening * noise[3], 0.0, 1.0))
        return position + self.sigma_m * noise[:3], opening


class FrozenProprio(Undisturbed):
    """The report repeats itself for a while, again and again::

    tick    0 ... first          first + frozen      first + frozen + live
    report  true  | stands still | true              | stands still ...
    """

    def __init__(self, *, first_tick: int, frozen_ticks: int, live_ticks: int) -> None:
        self._first, self._frozen, self._period = first_tick, frozen_ticks, frozen_ticks + live_ticks
        self._held: tuple[int, Array, float] | None = None

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Forget the last report."""
        self._held = None

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Remember what was last reported before the report stands still."""
        if self._since_freeze(robot.ticks) == 0:
            self._held = robot.ticks, robot.position, robot.gripper_opening
        return target, gripper

    def on_proprio(
        self, robot: SimulatedRobot, position: Array, gripper_opening: float
    ) -> tuple[Array, float]:
        """Repeat it, unless the arm has been driven past this hook since."""
        since = self._since_freeze(robot.ticks)
        if self._held is None or not 0 < since < self._frozen or self._held[0] != robot.ticks - since:
            return position, gripper_opening
        return self._held[1].copy(), self._held[2]

    def _since_freeze(self, tick: int) -> int:
        """Ticks since the report was last due to stand still; negative before the first time."""
        return (tick - self._first) % self._period if tick >= self._first else -1
