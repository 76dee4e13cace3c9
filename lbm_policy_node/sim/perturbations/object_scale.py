# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The handled object, or the handle of an articulated one, is larger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.sim.perturbations.perturbation import Undisturbed
from lbm_policy_node.sim.perturbations.scene_objects import OBJECTS, handled_geoms, move_object

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True)
class ObjectScale(Undisturbed):
    """Enlarges what the hand acts on, for the eye and for the physics.

    Of a door, drawer, window or button it is the handle or cap that grows, away from where it is attached: a
    whole cabinet twice as large would stand in the table and in the hand. Mass and inertia stay.
    """

    factor: float

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Scale shapes and meshes; a loose object takes its sites along and is lifted out of the table."""
        model, geoms = robot.environment.model, handled_geoms(robot)
        thing = OBJECTS[robot.task.name]
        height = float(model.geom_size[geoms[0]][1])
        model.geom_size[geoms] *= self.factor
        model.geom_rbound[geoms] *= self.factor
        model.geom_aabb[geoms] *= self.factor
        model.geom_pos[geoms] = self._grown(model.geom_pos[geoms], thing.pivot)
        if thing.is_loose:  # elsewhere the sites measure how far it is open
            model.site_pos[model.site_bodyid == model.body(thing.part).id] *= self.factor
        for mesh in {int(mesh) for mesh in model.geom_dataid[geoms] if mesh >= 0}:
            first = model.mesh_vertadr[mesh]
            model.mesh_vert[first : first + model.mesh_vertnum[mesh]] *= self.factor
        lift = (self.factor - 1.0) * height if thing.is_loose else 0.0
        move_object(robot, np.array([0.0, 0.0, lift]))
        robot.reload_meshes()

    def _grown(self, points: np.ndarray, pivot: tuple[float, float, float]) -> np.ndarray:
        return pivot + (points - pivot) * self.factor
