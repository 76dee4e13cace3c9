# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Brighter or darker light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lbm_policy_node.sim.perturbations.perturbation import Undisturbed

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True)
class Light(Undisturbed):
    """Scales the light at the camera (ambient and diffuse) and the lamps of the room, separately."""

    headlight_factor: float
    lamp_factor: float

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Turn the lights."""
        model = robot.environment.model
        model.vis.headlight.ambient[:] *= self.headlight_factor
        model.vis.headlight.diffuse[:] *= self.headlight_factor
        model.light_diffuse *= self.lamp_factor
