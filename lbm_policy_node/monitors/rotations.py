# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Many rotations at once, as unit quaternions xyzw on the last axis; `core.rotations` does one at a time."""

import numpy as np

from lbm_policy_node.core.types import Array

SMALLEST_LENGTH, LARGEST_LENGTH = 1e-3, 1e3
"""Beyond these, a regressed quaternion or matrix column means no rotation (`core` uses the same smallest)."""


def unit(vectors: Array) -> Array:
    """Scale vectors on the last axis to length 1; those far too short or too long become NaN."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    usable = (lengths > SMALLEST_LENGTH) & (lengths < LARGEST_LENGTH)
    return vectors / np.where(usable, lengths, np.nan)


def quaternions_of_rot6d(rot6d: Array) -> Array:
    """Read rotations from their first two matrix columns (arXiv:1812.07035, equation 15).

    Args:
        rot6d: Shape (..., 6), one column after the other, not necessarily orthonormal.

    Returns:
        Shape (..., 4); NaN where the columns are zero or parallel.
    """
    x = unit(rot6d[..., :3])
    second = rot6d[..., 3:]
    y = unit(second - (x * second).sum(-1, keepdims=True) * x)
    return _quaternions_of_axes(x, y, np.cross(x, y))


def _quaternions_of_axes(x: Array, y: Array, z: Array) -> Array:
    """Quaternions of the matrices with these columns: 4 q q^T is linear in the matrix, any row of it is q."""
    a, b, c = x[..., 0], y[..., 1], z[..., 2]
    xy, xz, yz = x[..., 1] + y[..., 0], x[..., 2] + z[..., 0], y[..., 2] + z[..., 1]
    xw, yw, zw = y[..., 2] - z[..., 1], z[..., 0] - x[..., 2], x[..., 1] - y[..., 0]
    rows = [
        [1 + a - b - c, xy, xz, xw],
        [xy, 1 - a + b - c, yz, yw],
        [xz, yz, 1 - a - b + c, zw],
        [xw, yw, zw, 1 + a + b + c],
    ]
    outer = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    # The row of the largest component is the one that is far from zero.
    largest = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    return unit(np.take_along_axis(outer, largest[..., None, None], axis=-2)[..., 0, :])


def between(start: Array, end: Array, fraction: float) -> Array:
    """Turn from start to end along the shorter arc at constant speed (slerp), shapes (..., 4)."""
    dots = (start * end).sum(-1, keepdims=True)
    end = np.where(dots < 0.0, -end, end)
    angles = np.arccos(np.clip(np.abs(dots), 0.0, 1.0))
    sines = np.sin(angles)
    near = sines < 1e-6  # a straight line is as good, and there is no division by zero
    safe = np.where(near, 1.0, sines)
    first = np.where(near, 1.0 - fraction, np.sin((1.0 - fraction) * angles) / safe)
    second = np.where(near, fraction, np.sin(fraction * angles) / safe)
    return unit(first * start + second * end)


def mean(turns: Array) -> Array:
    """Average over the first axis whatever the quaternions' signs are.

    The eigenvector of sum q q^T with the largest eigenvalue (Markley et al., "Averaging Quaternions", 2007).

    Args:
        turns: Shape (K, ..., 4).

    Returns:
        Shape (..., 4).
    """
    outer = np.einsum("k...i,k...j->...ij", turns, turns)
    return np.linalg.eigh(outer)[1][..., -1]


def rotation_vectors(start: Array, end: Array) -> Array:
    """Axis times angle of the turns from start to end in the start's frame, rad, shape (..., 3)."""
    v, w = start[..., :3], start[..., 3:]
    u, s = end[..., :3], end[..., 3:]
    turn = w * u - s * v - np.cross(v, u)
    real = w * s + (v * u).sum(-1, keepdims=True)
    turn = np.where(real < 0.0, -turn, turn)
    sines = np.linalg.norm(turn, axis=-1, keepdims=True)
    factor = 2.0 * np.arctan2(sines, np.abs(real)) / np.where(sines > 1e-12, sines, 1.0)
    return turn * np.where(sines > 1e-12, factor, 2.0)
