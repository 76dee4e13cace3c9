# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Rotations as xyzw quaternions, matrices and the first two matrix columns (rot6d)."""

import math

import numpy as np

from lbm_policy_node.core.types import Array


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Return the rotation matrix of a unit quaternion xyzw, shape (3, 3)."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def matrix_to_quaternion(matrix: Array) -> Array:
    """Return the unit quaternion xyzw of a matrix, by its largest component (Shepperd's method)."""
    m = matrix
    diagonal = (m[0, 0], m[1, 1], m[2, 2])
    trace = sum(diagonal)
    if trace > max(diagonal):
        q = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + trace])
    else:
        i = int(np.argmax(diagonal))
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[j], q[k], q[3] = m[j, i] + m[i, j], m[k, i] + m[i, k], m[k, j] - m[j, k]
    return q / np.linalg.norm(q)


def matrix_to_rot6d(matrix: Array) -> Array:
    """Return the first two columns one after the other, shape (6,) (arXiv:1812.07035, section 4.2)."""
    return matrix[:, :2].T.reshape(6)


def rot6d_to_matrix(rot6d: Array) -> Array:
    """Return the rotation matrix by Gram-Schmidt (arXiv:1812.07035, equation 15), shape (3, 3).

    The inverse of matrix_to_rot6d; parallel or zero columns yield non-finite numbers.
    """
    a, b = rot6d[:3], rot6d[3:]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = a / np.linalg.norm(a)
        y = b - (x @ b) * x
        y = y / np.linalg.norm(y)
    return np.stack((x, y, np.cross(x, y)), axis=1)


def slerp(start: Array, end: Array, fraction: float) -> Array:
    """Turn from one unit quaternion xyzw to another along the shorter arc at constant speed.

    Returns:
        A unit quaternion; start at fraction 0 and end (or its negative, the same rotation) at 1.
    """
    dot = float(start @ end)
    if dot < 0.0:
        end, dot = -end, -dot
    if dot > 0.9995:
        mixed = start + fraction * (end - start)
        return mixed / math.sqrt(mixed @ mixed)
    angle = math.acos(min(dot, 1.0))
    weights = math.sin((1 - fraction) * angle), math.sin(fraction * angle)
    mixed = weights[0] * start + weights[1] * end
    return mixed / math.sqrt(mixed @ mixed)


def angle_between(first: Array, second: Array) -> float:
    """Return the angle of the rotation between two unit quaternions, rad, 0 to pi."""
    dot = abs(float(first @ second))
    return 2.0 * math.atan2(math.sqrt(max(0.0, 1.0 - dot * dot)), dot)


def rotation_vector(start: Array, end: Array) -> Array:
    """Return the turn from one unit quaternion xyzw to another, axis times angle in the start's frame, rad.

    The shorter way round, so at most pi long.
    """
    x, y, z, w = -start[0], -start[1], -start[2], start[3]
    a, b, c, d = end
    turn = np.array(
        [
            w * a + x * d + y * c - z * b,
            w * b - x * c + y * d + z * a,
            w * c + x * b - y * a + z * d,
        ]
    )
    real = w * d - x * a - y * b - z * c
    if real < 0.0:
        turn, real = -turn, -real
    sine = math.sqrt(turn @ turn)
    return turn * (2.0 * math.atan2(sine, real) / sine) if sine > 1e-12 else 2.0 * turn


def turned(start: Array, rotation: Array) -> Array:
    """Return a unit quaternion xyzw turned by a rotation vector (rad) in its own frame."""
    angle = math.sqrt(rotation @ rotation)
    a, b, c = rotation * (math.sin(angle / 2) / angle if angle > 1e-12 else 0.5)
    d, (x, y, z, w) = math.cos(angle / 2), start
    result = np.array(
        [
            w * a + x * d + y * c - z * b,
            w * b - x * c + y * d + z * a,
            w * c + x * b - y * a + z * d,
            w * d - x * a - y * b - z * c,
        ]
    )
    return result / math.sqrt(result @ result)
