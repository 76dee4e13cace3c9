# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The arm does not follow its commands exactly."""

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
class ActionNoise(Undisturbed):
    """Gaussian noise on the target, standard deviation sigma_m per axis, drawn again every hold_ticks."""

    sigma_m: float
    hold_ticks: int
    seed: int

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Displace the target."""
        noise = generator_at(self.seed, robot.ticks // self.hold_ticks).normal(0.0, self.sigma_m, 3)
        return target + noise, gripper


class LostGain(Undisturbed):
    """The arm covers only a share of the commanded way from where it stood when the fault began."""

    def __init__(self, gain: float) -> None:
        self._gain = gain
        self._origin: Array | None = None

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Measure ways from here."""
        self._origin = robot.commanded_position

    def before_tick(self, robot: SimulatedRobot, target: Array, gripper: float) -> tuple[Array, float]:
        """Shorten the way."""
        assert self._origin is not None, "reset comes before the first tick"
        return self._origin + self._gain * np.subtract(target, self._origin), gripper
