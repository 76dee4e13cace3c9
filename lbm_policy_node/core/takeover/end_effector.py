# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Move the end effector of an action: the columns of its position and of its orientation."""

import numpy as np

from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.rotations import quaternion_to_matrix, turned
from lbm_policy_node.core.spec.spec_actions import ActionSpec
from lbm_policy_node.core.spec.spec_limits import LimitsSpec
from lbm_policy_node.core.types import Array


class EndEffector:
    """The Cartesian block of an action that has exactly one; works on normalised actions, base frame.

    Attributes:
        position: The columns of x, y and z, m.
        linear_velocity: Largest speed along each axis, m/s, shape (3,).
        angular_velocity: Largest turning speed, rad/s; infinity where the action has no orientation.
        turns: Whether the action has an orientation.
    """

    def __init__(self, action: ActionSpec, limits: LimitsSpec) -> None:
        """Find the block.

        Raises:
            ValueError: There is none, or several.
        """
        (block,) = (block for block in action.blocks if block.is_cartesian)
        self.position = slice(block.start, block.start + 3)
        self.linear_velocity = np.array([limits.velocity[name] for name in block.names[:3]])
        self.angular_velocity = limits.rotation.velocity if limits.rotation else np.inf
        self._rotations = ActionLayout(action).rotations
        self.turns = bool(self._rotations)

    def turn(self, target: Array, start: Array, rotation: Array) -> None:
        """Write the orientation of one action, turned, into another.

        Args:
            target: What is written to, shape (action_dim,).
            start: Whose orientation is turned, shape (action_dim,).
            rotation: Rotation vector in the base frame, rad, shape (3,).
        """
        for columns, read, write in self._rotations:
            quaternion = read(start[columns])
            target[columns] = write(turned(quaternion, quaternion_to_matrix(quaternion).T @ rotation))

    def set_orientation(self, target: Array, orientation: Array) -> None:
        """Write a unit quaternion xyzw, shape (4,), into an action, shape (action_dim,)."""
        for columns, _, write in self._rotations:
            target[columns] = write(orientation)
