# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The door, drawer, window, button or loose object cannot be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbm_policy_node.sim.perturbations.perturbation import Undisturbed
from lbm_policy_node.sim.perturbations.scene_objects import object_dofs

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot

STUCK = 1e6
"""kg or kg m2 of rotor inertia, and ten times as many N s/m or Nm s of damping.

Contacts then see something immovable. Dry friction alone gives way by centimetres: MuJoCo's is a soft
constraint.
"""


class Welded(Undisturbed):
    """Blocks the joint by which the object moves."""

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Block it."""
        model, dofs = robot.environment.model, object_dofs(robot)
        model.dof_armature[dofs] = STUCK
        model.dof_damping[dofs] = 10.0 * STUCK
