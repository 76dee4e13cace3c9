# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The fingers close with less force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lbm_policy_node.sim.perturbations.perturbation import Undisturbed

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True)
class WeakGripper(Undisturbed):
    """Scales the stiffness, and with it the force, of both finger drives."""

    force_factor: float

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Weaken the drives; the model has no others."""
        model = robot.environment.model
        model.actuator_gainprm *= self.force_factor
        model.actuator_biasprm *= self.force_factor
