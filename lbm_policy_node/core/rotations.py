# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every formula about rotations: quaternions xyzw, matrices, rotation vectors and 6D rotations.

All functions take one rotation or many: the leading axes, written ``...`` below, are broadcast. Quaternions
are of length 1; q and -q are the same rotation. ``core`` calls them in the control loop, one at a time.
"""

import math

import numpy as np

from lbm_policy_node.core.types import Array

SHORTEST, LONGEST = 1e-3, 1e3
"""A predicted quaternion or matrix column of a length beyond these means no rotation."""


def unit(vectors: Array, *, shortest: float = 0.0, longest: float = math.inf) -> Array:
    """Scale vectors on the last axis to length 1.

    Args:
        vectors: Shape (..., n).
        shortest: Vectors of this length or shorter become NaN.
        longest: Vectors of this length or longer become NaN.
    """
    lengths = _length(vectors)
    usable = (lengths > shortest) & (lengths < longest)
    return vectors / np.where(usable, lengths, np.nan)


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Return the rotation matrix of a quaternion xyzw, shapes (..., 4) to (..., 3, 3)."""
    x, y, z, w = _components(quaternion)
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    return matrix if matrix.ndim == 2 else np.ascontiguousarray(np.moveaxis(matrix, (0, 1), (-2, -1)))


def matrix_to_quaternion(matrix: Array) -> Array:
    """Return the quaternion xyzw of a rotation matrix, shapes (..., 3, 3) to (..., 4).

    The matrix 4 q q^T is linear in the rotation matrix. Each of its rows is a multiple of q; the one of the
    largest component is farthest from zero (Shepperd's method), so that every angle is exact. The largest
    component is positive.
    """
    m = matrix
    a, b, c = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 2, 0] + m[..., 0, 2], m[..., 2, 1] + m[..., 1, 2]
    xw, yw, zw = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    squares = np.array([1 + a - b - c, 1 - a + b - c, 1 - a - b + c, 1 + a + b + c])
    rows = np.array(
        [
            [squares[0], xy, xz, xw],
            [xy, squares[1], yz, yw],
            [xz, yz, squares[2], zw],
            [xw, yw, zw, squares[3]],
        ]
    )
    largest = np.argmax(squares, axis=0)
    if rows.ndim == 2:
        quaternion: Array = rows[largest]
    else:
        quaternion = np.moveaxis(np.take_along_axis(rows, largest[None, None], axis=0)[0], 0, -1)
    return quaternion / _length(quaternion)


def with_positive_w(quaternion: Array) -> Array:
    """Return the one of q and -q whose w is not negative, shape (..., 4)."""
    return np.where(quaternion[..., 3:] < 0.0, -quaternion, quaternion)


def matrix_to_rot6d(matrix: Array) -> Array:
    """Return the first two columns one after the other, (..., 6) (arXiv:1812.07035, section 4.2)."""
    return np.concatenate((matrix[..., 0], matrix[..., 1]), axis=-1)


def rot6d_to_matrix(rot6d: Array, *, shortest: float = 0.0, longest: float = math.inf) -> Array:
    """Return the rotation matrix of a 6D rotation, by Gram-Schmidt (arXiv:1812.07035, equation 15).

    The inverse of matrix_to_rot6d.

    Args:
        rot6d: Two columns one after the other, not necessarily orthonormal, shape (..., 6).
        shortest: Columns of this length or shorter yield NaN, as parallel columns do.
        longest: Columns of this length or longer yield NaN.

    Returns:
        Shape (..., 3, 3).
    """
    x = unit(rot6d[..., :3], shortest=shortest, longest=longest)
    second = rot6d[..., 3:]
    y = unit(second - (x * second).sum(-1, keepdims=True) * x, shortest=shortest, longest=longest)
    return np.stack((x, y, np.cross(x, y)), axis=-1)


def slerp(start: Array, end: Array, fraction: float, *, straight_above: float = 0.9995) -> Array:
    """Turn from one quaternion xyzw to another along the shorter arc at constant speed.

    Args:
        start: Shape (..., 4).
        end: Shape (..., 4).
        fraction: 0 to 1.
        straight_above: Cosine of half the angle above which a straight line is as good.

    Returns:
        Shape (..., 4); start at fraction 0 and end (or its negative, the same rotation) at 1.
    """
    dot = np.add.reduce(start * end, axis=-1, keepdims=True)
    near = np.where(dot < 0.0, -end, end)
    dot = np.minimum(np.abs(dot), 1.0)
    angle, straight = np.arccos(dot), dot > straight_above
    first = np.where(straight, 1.0 - fraction, np.sin((1.0 - fraction) * angle))
    second = np.where(straight, fraction, np.sin(fraction * angle))
    mixed = first * start + second * near
    return mixed / _length(mixed)


def geodesic_angle(first: Array, second: Array) -> float:
    """Return the angle of the rotation between two quaternions, shape (4,) each, rad, 0 to pi."""
    dot = abs(float(first @ second))
    return 2.0 * math.atan2(math.sqrt(max(0.0, 1.0 - dot * dot)), dot)


def rotation_vector_between(start: Array, end: Array) -> Array:
    """Return the rotation from one quaternion xyzw to another, axis times angle in the start's frame, rad.

    Returns:
        Shape (..., 3); the shorter way round, so at most pi long.
    """
    difference = _product(start * _CONJUGATE, end)
    axis, w = difference[..., :3], difference[..., 3:]
    axis = np.where(w < 0.0, -axis, axis)
    sine = _length(axis)
    turns = sine > 1e-12
    angle = 2.0 * np.arctan2(sine, np.abs(w))
    return axis * np.where(turns, angle / np.where(turns, sine, 1.0), 2.0)


def turned(start: Array, rotation_vector: Array) -> Array:
    """Return a quaternion xyzw turned by a rotation vector (rad) in its own frame, shape (..., 4)."""
    angle = _length(rotation_vector)
    turns = angle > 1e-12
    share = np.where(turns, np.sin(angle / 2) / np.where(turns, angle, 1.0), 0.5)
    result = _product(start, np.concatenate((rotation_vector * share, np.cos(angle / 2)), axis=-1))
    return result / _length(result)


def mean_quaternion(quaternions: Array) -> Array:
    """Average over the first axis whatever the quaternions' signs are, shapes (K, ..., 4) to (..., 4).

    The eigenvector of sum q q^T with the largest eigenvalue (Markley et al., "Averaging Quaternions", 2007).
    """
    outer = np.einsum("k...i,k...j->...ij", quaternions, quaternions)
    return np.linalg.eigh(outer)[1][..., -1]


_CONJUGATE = np.array([-1.0, -1.0, -1.0, 1.0])


def _product(first: Array, second: Array) -> Array:
    """Multiply two quaternions xyzw (Hamilton)."""
    x, y, z, w = _components(first)
    a, b, c, d = _components(second)
    product = np.array(
        [
            w * a + x * d + y * c - z * b,
            w * b - x * c + y * d + z * a,
            w * c + x * b - y * a + z * d,
            w * d - x * a - y * b - z * c,
        ]
    )
    return product if product.ndim == 1 else np.moveaxis(product, 0, -1)


def _length(vectors: Array) -> Array:
    """Return the lengths of vectors on the last axis, shape (..., 1)."""
    return np.sqrt(np.add.reduce(vectors * vectors, axis=-1, keepdims=True))


def _components(vectors: Array) -> Array:
    """Put the last axis first, so that the components can be unpacked."""
    return vectors if vectors.ndim == 1 else np.moveaxis(vectors, -1, 0)
