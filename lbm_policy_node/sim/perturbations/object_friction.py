# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The object is more slippery, or stickier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lbm_policy_node.sim.perturbations.perturbation import Undisturbed
from lbm_policy_node.sim.perturbations.scene_objects import handled_geoms

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot

_PAD = "rightpad_geom"


@dataclass(frozen=True)
class ObjectFriction(Undisturbed):
    """Multiplies the sliding friction between fingers and object.

    MuJoCo lets the rougher of two surfaces decide, which is the finger pad; the object gets priority so that
    less friction is possible at all. A loose object slides on the table with the same friction.
    """

    factor: float

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Set the friction of what the hand acts on."""
        model, geoms = robot.environment.model, handled_geoms(robot)
        pad = model.geom(_PAD).id
        model.geom_friction[geoms] = model.geom_friction[pad]
        model.geom_friction[geoms, 0] *= self.factor
        model.geom_condim[geoms] = model.geom_condim[pad]
        model.geom_priority[geoms] = 1
