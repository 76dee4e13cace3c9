# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which columns of an action are compared: the gripper is left out, rotations are kept whole."""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.rotations import LONGEST, SHORTEST, matrix_to_quaternion, rot6d_to_matrix, unit
from lbm_policy_node.core.spec.spec_actions import QUATERNION, ROT6D, ActionSpec
from lbm_policy_node.core.types import Array

SIZES = {QUATERNION: 4, ROT6D: 6}


@dataclass(frozen=True)
class RotationColumns:
    """The columns of one rotation.

    Attributes:
        start: First column.
        kind: "quaternion" (xyzw) or "rot6d".
    """

    start: int
    kind: str

    @property
    def columns(self) -> slice:
        """All of its columns."""
        return slice(self.start, self.start + SIZES[self.kind])


@dataclass(frozen=True, eq=False)
class ScoredValues:
    """What is compared of some actions.

    Attributes:
        linear: Shape (..., n_linear), the columns' units.
        turns: Unit quaternions xyzw, shape (..., n_rotations, 4); NaN where the numbers are no rotation.
    """

    linear: Array
    turns: Array


@dataclass(frozen=True)
class ScoredColumns:
    """The columns of an action that scores compare.

    Attributes:
        action_names: Every column of the action.
        linear: Columns that are compared by difference.
        rotations: Columns that are compared by geodesic angle.

    Raises:
        ValueError: If nothing is left to compare, or a column does not exist.
    """

    action_names: tuple[str, ...]
    linear: tuple[int, ...]
    rotations: tuple[RotationColumns, ...] = ()

    def __post_init__(self) -> None:
        if not self.linear and not self.rotations:
            raise ValueError(
                f"no column of {list(self.action_names)} can be compared: grippers are left out; "
                "a monitor needs a joint_position, ee_position or ee_pose block in the robot spec"
            )
        for rotation in self.rotations:
            if rotation.kind not in SIZES:
                raise ValueError(f"a rotation is one of {list(SIZES)}, not {rotation.kind!r}")
        used = [*self.linear, *(c for r in self.rotations for c in range(r.columns.start, r.columns.stop))]
        if len(set(used)) != len(used) or min(used) < 0 or max(used) >= len(self.action_names):
            raise ValueError(f"columns {used} are not distinct columns of {len(self.action_names)}")

    @classmethod
    def from_spec(cls, action: ActionSpec) -> "ScoredColumns":
        """Choose the columns of a robot's action layout."""
        linear: list[int] = []
        rotations: list[RotationColumns] = []
        for block in action.blocks:
            if block.kind == "gripper":
                continue
            turning = block.rotation_columns
            linear.extend(range(block.columns.start, turning.start if block.rotation else block.columns.stop))
            if block.rotation:
                rotations.append(RotationColumns(turning.start, block.rotation))
        return cls(action.names, tuple(linear), tuple(rotations))

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each scored value: a linear column's own, for a rotation its columns' joined by +."""
        turning = ("+".join(self.action_names[r.columns]) for r in self.rotations)
        return (*(self.action_names[column] for column in self.linear), *turning)

    @property
    def width(self) -> int:
        """Degrees of freedom of one row: a rotation counts as 3."""
        return len(self.linear) + 3 * len(self.rotations)

    def select(self, actions: Array) -> ScoredValues:
        """Pick the compared values of actions, shape (..., action_dim)."""
        linear = np.take(actions, self.linear, axis=-1)
        turns = np.empty((*actions.shape[:-1], len(self.rotations), 4))
        for index, rotation in enumerate(self.rotations):
            values = actions[..., rotation.columns]
            turns[..., index, :] = _quaternions(values, rotation.kind)
        return ScoredValues(linear, turns)


def _quaternions(values: Array, kind: str) -> Array:
    """Read predicted rotations, shape (..., 4 or 6); NaN where the numbers are no rotation."""
    if kind == QUATERNION:
        return unit(values, shortest=SHORTEST, longest=LONGEST)
    return matrix_to_quaternion(rot6d_to_matrix(values, shortest=SHORTEST, longest=LONGEST))
