# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Action chunks relative to a measured end-effector pose, and back to absolute targets.

A block of the action vector is relative when the checkpoint lists it in `lbm_extensions.relative_poses`
(LBM, arXiv:2507.05331; UMI, arXiv:2402.10329): relative = inverse(reference) * target, so position and
orientation are both in the reference's own axes. Position-only blocks have no orientation: their relative
is a plain difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lbm_policy_node.core.rotations import (
    matrix_to_quaternion,
    matrix_to_rot6d,
    quaternion_to_matrix,
    rot6d_to_matrix,
    unit,
    with_positive_w,
)
from lbm_policy_node.policies.checkpoint.extensions import RelativePose

Array = NDArray[np.float64]


def to_relative(actions: Array, states: Array, blocks: Sequence[RelativePose]) -> Array:
    """Absolute targets to targets relative to the observed pose; for training.

    Args:
        actions: (..., horizon, action_dim), physical units.
        states: Observed proprio, oldest first, (..., n_obs_steps, state_dim).
        blocks: The relative blocks; other columns are copied.

    Returns:
        The same shape as `actions`.
    """
    out = np.array(actions, dtype=np.float64)
    for block in blocks:
        origin, turn = _reference(states, block)
        position, rotation = _split(out[..., block.action_slice], block.action_kind)
        moved = position - origin
        if turn is not None and rotation is not None:
            inverse = np.swapaxes(turn, -1, -2)
            moved, rotation = _apply(inverse, moved), inverse @ rotation
        out[..., block.action_slice] = _join(moved, rotation, block.action_kind)
    return out


def to_absolute(actions: Array, states: Array, blocks: Sequence[RelativePose]) -> Array:
    """Relative predictions to absolute targets; shapes as in `to_relative`, whose inverse this is."""
    out = np.array(actions, dtype=np.float64)
    for block in blocks:
        origin, turn = _reference(states, block)
        position, rotation = _split(out[..., block.action_slice], block.action_kind)
        if turn is not None and rotation is not None:
            position, rotation = _apply(turn, position), turn @ rotation
        out[..., block.action_slice] = _join(position + origin, rotation, block.action_kind)
    return out


def _reference(states: Array, block: RelativePose) -> tuple[Array, Array | None]:
    """The reference pose with an axis for the horizon: position (..., 1, 3) and matrix (..., 1, 3, 3)."""
    row = -1 if block.reference == "newest" else 0
    pose = np.asarray(states, dtype=np.float64)[..., row, block.state_slice]
    position, rotation = _split(pose, block.state_kind)
    return position[..., None, :], None if rotation is None else rotation[..., None, :, :]


def _split(pose: Array, kind: str) -> tuple[Array, Array | None]:
    """Position (..., 3) and rotation matrix (..., 3, 3) of a pose of some layout."""
    if kind == "position":
        return pose, None
    position, rotation = pose[..., :3], pose[..., 3:]
    if kind == "pose_quaternion":
        return position, quaternion_to_matrix(unit(rotation))
    return position, rot6d_to_matrix(rotation)


def _join(position: Array, rotation: Array | None, kind: str) -> Array:
    """The inverse of `_split`."""
    if rotation is None:
        return position
    if kind == "pose_quaternion":
        return np.concatenate([position, with_positive_w(matrix_to_quaternion(rotation))], axis=-1)
    return np.concatenate([position, matrix_to_rot6d(rotation)], axis=-1)


def _apply(matrix: Array, vector: Array) -> Array:
    return np.einsum("...ij,...j->...i", matrix, vector)
