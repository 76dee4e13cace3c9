# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Rotations, one and many at a time, against scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation, Slerp

from lbm_policy_node.core.rotations import (
    LONGEST,
    SHORTEST,
    geodesic_angle,
    matrix_to_quaternion,
    matrix_to_rot6d,
    mean_quaternion,
    quaternion_to_matrix,
    rot6d_to_matrix,
    rotation_vector_between,
    slerp,
    turned,
    unit,
    with_positive_w,
)

NUMBER = st.floats(-1.0, 1.0, allow_subnormal=False)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=2, max_side=3)
FRACTIONS = st.floats(0.0, 1.0)
MANY = Rotation.random(200, rng=np.random.default_rng(1))
HALF_TURNS = Rotation.from_rotvec(np.pi * np.eye(3))


def long_enough(quaternions: np.ndarray) -> bool:
    return bool((np.linalg.norm(quaternions, axis=-1) > 0.1).all())


def rotations(count: int) -> st.SearchStrategy[np.ndarray]:
    """So many unit quaternions of one shape (..., 4), on a new first axis."""
    shapes = SHAPES.map(lambda shape: (count, *shape, 4))
    arrays = hnp.arrays(np.float64, shapes, elements=NUMBER).filter(long_enough)
    return arrays.map(unit)


def scipys(quaternions: np.ndarray) -> Rotation:
    return Rotation.from_quat(quaternions.reshape(-1, 4))


def assert_same(found: np.ndarray, expected: Rotation, atol: float = 1e-9) -> None:
    """Compare rotations, whatever the signs of the quaternions are."""
    assert_allclose(scipys(found).as_matrix(), expected.as_matrix().reshape(-1, 3, 3), atol=atol)
    assert_allclose(np.linalg.norm(found, axis=-1), 1.0, atol=1e-12)


@settings(deadline=None)  # the machine is shared
@given(rotations(1))
def test_a_quaternion_survives_the_way_through_matrix_and_6d_rotation(quaternions: np.ndarray) -> None:
    original = quaternions[0]
    matrix, expected = quaternion_to_matrix(original), scipys(original)
    assert matrix.shape == (*original.shape[:-1], 3, 3)
    assert_allclose(matrix.reshape(-1, 3, 3), expected.as_matrix(), atol=1e-12)
    assert_same(matrix_to_quaternion(matrix), expected)
    six = matrix_to_rot6d(matrix)
    assert_allclose(six[..., :3], matrix[..., :, 0])
    assert_allclose(six[..., 3:], matrix[..., :, 1])
    assert_allclose(rot6d_to_matrix(six * 3.0), matrix, atol=1e-12)


@settings(deadline=None)
@given(rotations(2))
def test_a_rotation_vector_leads_from_the_start_to_the_end_the_shorter_way(pair: np.ndarray) -> None:
    start, end = pair
    vectors = rotation_vector_between(start, end)
    lengths = np.linalg.norm(vectors, axis=-1)
    assert (lengths <= np.pi + 1e-9).all()
    assert_allclose(lengths.reshape(-1), (scipys(start).inv() * scipys(end)).magnitude(), atol=1e-7)
    assert_same(turned(start, vectors), scipys(end), atol=1e-7)


@settings(deadline=None)
@given(rotations(2), FRACTIONS)
def test_slerp_turns_evenly_along_the_shorter_arc(pair: np.ndarray, fraction: float) -> None:
    start, end = pair
    vectors = (scipys(start).inv() * scipys(end)).as_rotvec()
    expected = scipys(start) * Rotation.from_rotvec(fraction * vectors)
    half_turn = np.pi - np.linalg.norm(vectors, axis=-1) < 1e-6  # both ways round are the shorter one
    found = slerp(start, end, fraction, straight_above=1.0 - 5e-13)
    near = slerp(start, end, fraction)
    for ours, tolerance in ((found, 1e-6), (near, 1e-5)):
        assert_allclose(np.linalg.norm(ours, axis=-1), 1.0, atol=1e-12)
        error = (scipys(ours).inv() * expected).magnitude()
        assert (error[~half_turn] < tolerance).all()


@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.5, 0.98])
def test_slerp_is_scipys(fraction: float) -> None:
    pairs = [Rotation.concatenate([start, end]) for start, end in zip(MANY[:100], MANY[100:], strict=True)]
    expected = Rotation.concatenate([Slerp([0, 1], pair)(fraction) for pair in pairs])
    assert_same(slerp(MANY[:100].as_quat(), MANY[100:].as_quat(), fraction), expected)
    start = MANY.as_quat()
    assert_same(slerp(start, -start, fraction), MANY)


@settings(deadline=None)
@given(rotations(1), hnp.arrays(np.float64, 3, elements=st.floats(-3.0, 3.0)))
def test_a_turn_is_about_the_quaternions_own_axes(quaternions: np.ndarray, vector: np.ndarray) -> None:
    start = quaternions[0].reshape(-1, 4)[0]
    assert_same(turned(start, vector), scipys(start) * Rotation.from_rotvec(vector))


@settings(deadline=None)
@given(rotations(2))
def test_the_geodesic_angle_is_that_of_the_turn_between(pair: np.ndarray) -> None:
    first, second = (quaternions.reshape(-1, 4)[0] for quaternions in pair)
    expected = (scipys(first).inv() * scipys(second)).magnitude()[0]
    assert geodesic_angle(first, second) == pytest.approx(expected, abs=1e-7)
    assert geodesic_angle(first, -second) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("turns", [MANY, HALF_TURNS, Rotation.identity(1)], ids=["any", "half", "none"])
def test_a_predicted_6d_rotation_is_made_orthonormal(turns: Rotation) -> None:
    columns = turns.as_matrix()[..., :2]
    predicted = np.concatenate([3.0 * columns[..., 0], columns[..., 1] - 0.4 * columns[..., 0]], axis=-1)
    matrices = rot6d_to_matrix(predicted, shortest=SHORTEST, longest=LONGEST)
    assert_same(matrix_to_quaternion(matrices), turns)
    assert (with_positive_w(matrix_to_quaternion(matrices))[:, 3] >= 0.0).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_turns_survive(axis: int) -> None:
    found = matrix_to_quaternion(HALF_TURNS[axis].as_matrix())
    assert_allclose(np.abs(found[:3]), np.eye(3)[axis], atol=1e-9)


@pytest.mark.parametrize(
    "rot6d", [np.zeros(6), [1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0], [1e-4, 0, 0, 0, 1, 0]]
)
def test_numbers_that_are_no_rotation_become_nan(rot6d: list[float]) -> None:
    matrix = rot6d_to_matrix(np.asarray(rot6d, dtype=np.float64), shortest=SHORTEST, longest=LONGEST)
    assert np.isnan(matrix_to_quaternion(matrix)).all()


@pytest.mark.parametrize("length", [0.0, SHORTEST, LONGEST, np.inf, np.nan])
def test_a_vector_without_a_usable_length_becomes_nan_and_its_neighbour_does_not(length: float) -> None:
    vectors = np.array([[length, 0.0, 0.0], [0.0, 2.0, 0.0]])
    found = unit(vectors, shortest=SHORTEST, longest=LONGEST)
    assert np.isnan(found[0]).all()
    assert_allclose(found[1], [0.0, 1.0, 0.0])


def test_tiny_turns_are_followed_and_the_mean_does_not_mind_signs() -> None:
    tiny = MANY * Rotation.from_rotvec([1e-14, 0.0, 0.0])
    assert_allclose(rotation_vector_between(MANY.as_quat(), tiny.as_quat()), 0.0, atol=1e-13)
    near = MANY[0] * Rotation.from_rotvec(np.random.default_rng(2).normal(0.0, 0.5, (20, 3)))
    signs = np.where(np.arange(20) % 3, 1.0, -1.0)[:, None]
    assert_same(mean_quaternion(signs * near.as_quat()), near.mean())
