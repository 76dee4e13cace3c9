# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Between two actions: linear, slerp for orientations, hold for binary grippers, block by block."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lbm_policy_node.core.rotations import (
    SHORTEST,
    matrix_to_quaternion,
    matrix_to_rot6d,
    quaternion_to_matrix,
    rot6d_to_matrix,
    slerp,
    unit,
)
from lbm_policy_node.core.spec.spec_actions import QUATERNION, ActionSpec
from lbm_policy_node.core.types import Array


class Rotation(NamedTuple):
    """The columns of one orientation and how to read and write them as quaternions xyzw, shape (..., 4)."""

    columns: slice
    read: Callable[[Array], Array]
    write: Callable[[Array], Array]


class ActionLayout:
    """Knows which columns move linearly, which turn and which switch."""

    def __init__(self, action: ActionSpec) -> None:
        self.dim = action.dim
        held = [
            c
            for b in action.blocks
            if b.interpolation == "hold"
            for c in range(b.columns.start, b.columns.stop)
        ]
        self.held = np.array(held, dtype=np.intp)
        self.rotations = tuple(
            Rotation(b.rotation_columns, _as_is, _as_is)
            if b.rotation == QUATERNION
            else Rotation(b.rotation_columns, _quaternion_of_rot6d, _rot6d_of_quaternion)
            for b in action.blocks
            if b.rotation
        )

    def interpolate(self, start: Array, end: Array, fraction: float) -> Array:
        """Return the action between two normalised ones.

        Held columns keep the start's value; at fraction 0 the result is the start.

        Args:
            start: Shape (action_dim,).
            end: Shape (action_dim,).
            fraction: 0 to 1.
        """
        if fraction <= 0.0:
            return start
        between = (1.0 - fraction) * start + fraction * end
        for columns, read, write in self.rotations:
            if fraction < 1.0:
                between[columns] = write(slerp(read(start[columns]), read(end[columns]), fraction))
        if self.held.size:
            between[self.held] = start[self.held]
        return between

    def normalised(self, actions: Array) -> Array:
        """Return a copy with proper rotations: unit quaternions, orthonormal rot6d; shape (n, action_dim).

        A policy regresses these numbers, so they are close only. Degenerate ones become NaN.
        """
        result = np.array(actions, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            for columns, _, write in self.rotations:
                block = result[:, columns]
                if write is _as_is:
                    block[:] = unit(block, shortest=SHORTEST)
                else:
                    block[:] = matrix_to_rot6d(rot6d_to_matrix(block))
        return result

    def mean(self, candidates: Array, weights: Array) -> Array:
        """Average several normalised actions for the same instant.

        Linear columns: weighted mean. Orientations: normalised weighted sum of the quaternions on one side of
        the sphere. Held columns: weighted median, for two values a majority vote, never one in between.

        Args:
            candidates: Shape (n, action_dim).
            weights: Shape (n,), above 0.
        """
        share = weights / weights.sum()
        result = share @ candidates
        for columns, read, write in self.rotations:
            turns = read(candidates[:, columns])
            signs = np.where(turns @ turns[0] < 0.0, -1.0, 1.0)
            total = (share * signs) @ turns
            result[columns] = write(unit(total))
        for column in self.held:
            order = np.argsort(candidates[:, column], kind="stable")
            half = np.searchsorted(np.cumsum(share[order]), 0.5)
            result[column] = candidates[order[min(half, len(order) - 1)], column]
        return result


def _as_is(values: Array) -> Array:
    return values


def _quaternion_of_rot6d(values: Array) -> Array:
    return matrix_to_quaternion(rot6d_to_matrix(values))


def _rot6d_of_quaternion(quaternion: Array) -> Array:
    return matrix_to_rot6d(quaternion_to_matrix(quaternion))
