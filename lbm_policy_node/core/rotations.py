# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every formula about rotations: quaternions xyzw, matrices, rotation vectors and 6D rotations.

All functions take one rotation or many: the leading axes, written ``...`` below, are broadcast. Quaternions
are of length 1; q and -q are the same rotation. ``core`` calls them in the control loop, one at a time.

Each formula is written in components, once: for one rotation they are plain numbers, because an operation
of numpy takes about a microsecond however little it has to do; for many they are arrays.
"""

import math
from collections.abc import Callable, Sequence
from operator import mul
from typing import Any, NamedTuple

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
    return _joined(_unit(_components(vectors), shortest, longest))


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Return the rotation matrix of a quaternion xyzw, shapes (..., 4) to (..., 3, 3)."""
    x, y, z, w = _components(quaternion)
    return _matrix(
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )


def matrix_to_quaternion(matrix: Array) -> Array:
    """Return the quaternion xyzw of a rotation matrix, shapes (..., 3, 3) to (..., 4).

    The matrix 4 q q^T is linear in the rotation matrix. Each of its rows is a multiple of q; the one of the
    largest component is farthest from zero (Shepperd's method), so that every angle is exact. The largest
    component is positive.
    """
    a, d, e, f, b, g, h, i, c = _components(matrix.reshape(*matrix.shape[:-2], 9))
    xy, xz, yz, xw, yw, zw = f + d, h + e, i + g, i - g, e - h, f - d
    xx, yy, zz, ww = 1 + a - b - c, 1 - a + b - c, 1 - a - b + c, 1 + a + b + c
    where = _functions(xx).where
    largest, row = xx, (xx, xy, xz, xw)
    for square, other in ((yy, (xy, yy, yz, yw)), (zz, (xz, yz, zz, zw)), (ww, (xw, yw, zw, ww))):
        larger = square > largest
        largest = where(larger, square, largest)
        row = [where(larger, new, old) for new, old in zip(other, row, strict=True)]
    return _joined(_unit(row))


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
    parts = _components(rot6d)
    first, second = parts[:3], parts[3:]
    x = _unit(first, shortest, longest)
    along = _dot(x, second)
    y = _unit([b - along * a for a, b in zip(x, second, strict=True)], shortest, longest)
    (a, b, c), (d, e, f) = x, y
    return _matrix(a, d, b * f - c * e, b, e, c * d - a * f, c, f, a * e - b * d)


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
    (x, y, z, w), (a, b, c, d) = _components(start), _components(end)
    dot = x * a + y * b + z * c + w * d
    functions = _functions(dot)
    cosine = functions.minimum(abs(dot), 1.0)
    angle, straight = functions.acos(cosine), cosine > straight_above
    first = functions.where(straight, 1.0 - fraction, functions.sin((1.0 - fraction) * angle))
    last = functions.where(straight, fraction, functions.sin(fraction * angle))
    last = functions.where(dot < 0.0, -last, last)
    mixed = (first * x + last * a, first * y + last * b, first * z + last * c, first * w + last * d)
    return _joined(_unit(mixed))


def geodesic_angle(first: Array, second: Array) -> float:
    """Return the angle of the rotation between two quaternions, shape (4,) each, rad, 0 to pi."""
    dot = abs(float(first @ second))
    return 2.0 * math.atan2(math.sqrt(max(0.0, 1.0 - dot * dot)), dot)


def rotation_vector_between(start: Array, end: Array) -> Array:
    """Return the rotation from one quaternion xyzw to another, axis times angle in the start's frame, rad.

    Returns:
        Shape (..., 3); the shorter way round, so at most pi long.
    """
    x, y, z, w = _components(start)
    *axis, cosine = _product((-x, -y, -z, w), _components(end))
    functions = _functions(cosine)
    sine = functions.sqrt(_dot(axis, axis))
    turns = sine > 1e-12
    angle = 2.0 * functions.atan2(sine, abs(cosine))
    factor = functions.where(turns, angle / functions.where(turns, sine, 1.0), 2.0)
    factor = functions.where(cosine < 0.0, -factor, factor)
    return _joined([factor * part for part in axis])


def turned(start: Array, rotation_vector: Array) -> Array:
    """Return a quaternion xyzw turned by a rotation vector (rad) in its own frame, shape (..., 4)."""
    vector = _components(rotation_vector)
    squared = _dot(vector, vector)
    functions = _functions(squared)
    angle = functions.sqrt(functions.where(squared < math.inf, squared, math.nan))  # math.sin(inf) raises
    turns = angle > 1e-12
    share = functions.where(turns, functions.sin(angle / 2) / functions.where(turns, angle, 1.0), 0.5)
    turn = (*(share * part for part in vector), functions.cos(angle / 2))
    return _joined(_unit(_product(_components(start), turn)))


def mean_quaternion(quaternions: Array) -> Array:
    """Average over the first axis whatever the quaternions' signs are, shapes (K, ..., 4) to (..., 4).

    The eigenvector of sum q q^T with the largest eigenvalue (Markley et al., "Averaging Quaternions", 2007).
    """
    outer = np.einsum("k...i,k...j->...ij", quaternions, quaternions)
    return np.linalg.eigh(outer)[1][..., -1]


class _Functions(NamedTuple):
    """The functions that the formulas need beyond arithmetic."""

    sin: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    acos: Callable[[Any], Any]
    atan2: Callable[[Any, Any], Any]
    sqrt: Callable[[Any], Any]
    minimum: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]


_OF_ARRAYS = _Functions(np.sin, np.cos, np.arccos, np.arctan2, np.sqrt, np.minimum, np.where)
_OF_NUMBERS = _Functions(
    math.sin,
    math.cos,
    math.acos,
    math.atan2,
    math.sqrt,
    min,
    lambda condition, yes, no: yes if condition else no,
)


def _functions(component: Any) -> _Functions:
    return _OF_ARRAYS if isinstance(component, np.ndarray) else _OF_NUMBERS


def _components(vectors: Array) -> Sequence[Any]:
    """Return what is on the last axis: numbers of one vector, arrays of shape (...) of many."""
    return vectors.tolist() if vectors.ndim == 1 else [vectors[..., i] for i in range(vectors.shape[-1])]


def _joined(components: Sequence[Any]) -> Array:
    """Return the array of these components on its last axis."""
    return np.stack(components, axis=-1) if isinstance(components[0], np.ndarray) else np.array(components)


def _matrix(*entries: Any) -> Array:
    """Return matrices, shape (..., 3, 3), of their entries row by row."""
    joined = _joined(entries)
    return joined.reshape(*joined.shape[:-1], 3, 3)


def _dot(first: Sequence[Any], second: Sequence[Any]) -> Any:
    return sum(map(mul, first, second))


def _unit(components: Sequence[Any], shortest: float = 0.0, longest: float = math.inf) -> Sequence[Any]:
    """Divide by the length; by NaN where that is not between the limits."""
    squared = _dot(components, components)
    functions = _functions(squared)
    length = functions.sqrt(squared)
    length = functions.where((length > shortest) & (length < longest), length, math.nan)
    return [component / length for component in components]


def _product(first: Sequence[Any], second: Sequence[Any]) -> Sequence[Any]:
    """Multiply two quaternions xyzw (Hamilton)."""
    (x, y, z, w), (a, b, c, d) = first, second
    return (
        w * a + x * d + y * c - z * b,
        w * b - x * c + y * d + z * a,
        w * c + x * b - y * a + z * d,
        w * d - x * a - y * b - z * c,
    )
