# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Rotations of end-effector poses as matrices, xyzw quaternions and six numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def matrix_from_quaternion(quaternion: Array) -> Array:
    """Quaternions xyzw (..., 4), of any length but zero, to matrices (..., 3, 3)."""
    x, y, z, w = np.moveaxis(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_from_matrix(matrix: Array) -> Array:
    """Matrices (..., 3, 3) to unit quaternions xyzw (..., 4) with w >= 0.

    Of the four equivalent formulas the one with the largest divisor is taken, so that every angle is exact.
    """
    m = matrix
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    diagonal = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2], trace], axis=-1)
    xy, xz, yz = (m[..., i, j] + m[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    xw, yw, zw = (m[..., i, j] - m[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0)))
    own = 1 + 2 * diagonal - trace[..., None]
    own[..., 3] = 1 + trace
    rows = [
        [own[..., 0], xy, xz, xw],
        [xy, own[..., 1], yz, yw],
        [xz, yz, own[..., 2], zw],
        [xw, yw, zw, own[..., 3]],
    ]
    outer = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    best = np.argmax(own, axis=-1)
    chosen = np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :]
    unit = chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)
    return np.where(unit[..., 3:] < 0, -unit, unit)


def matrix_from_rot6d(six: Array) -> Array:
    """First two matrix columns (..., 6), made orthonormal (arXiv:1812.07035), to matrices (..., 3, 3)."""
    first = six[..., :3] / np.linalg.norm(six[..., :3], axis=-1, keepdims=True)
    second = six[..., 3:] - (first * six[..., 3:]).sum(axis=-1, keepdims=True) * first
    second = second / np.linalg.norm(second, axis=-1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def rot6d_from_matrix(matrix: Array) -> Array:
    """Matrices (..., 3, 3) to their first two columns (..., 6)."""
    return np.concatenate([matrix[..., 0], matrix[..., 1]], axis=-1)
