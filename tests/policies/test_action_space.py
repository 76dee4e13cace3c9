# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Relative end-effector actions against scipy's rotations, and their inverse."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lbm_policy_node.policies.action_space import to_absolute, to_relative
from lbm_policy_node.policies.checkpoint.extensions import POSE_WIDTHS, RelativePose

KINDS = ("pose_quaternion", "pose_rot6d")


def pose(position: np.ndarray, rotation: Rotation, kind: str) -> np.ndarray:
    if kind == "pose_quaternion":
        return np.concatenate([position, rotation.as_quat()], axis=-1)
    matrix = rotation.as_matrix()
    return np.concatenate([position, matrix[..., 0], matrix[..., 1]], axis=-1)


@pytest.mark.parametrize("action_kind", KINDS)
@pytest.mark.parametrize("state_kind", KINDS)
@pytest.mark.parametrize("reference", ["newest", "oldest"])
def test_relative_pose_is_seen_from_the_reference(action_kind: str, state_kind: str, reference: str) -> None:
    generator = np.random.default_rng(0)
    positions, turns = generator.normal(size=(6, 3)), Rotation.random(6, rng=np.random.default_rng(1))
    origins, frames = generator.normal(size=(2, 3)), Rotation.random(2, rng=np.random.default_rng(2))
    block = RelativePose(1, action_kind, 2, state_kind, reference)
    states = np.concatenate([np.full((2, 2), 9.0), pose(origins, frames, state_kind)], axis=1)
    gripper = generator.normal(size=(6, 1))
    absolute = np.concatenate([gripper, pose(positions, turns, action_kind)], axis=1)
    relative = to_relative(absolute, states, [block])
    row = 1 if reference == "newest" else 0
    back = frames[row].inv()
    turned = back * turns
    expected = pose(back.apply(positions - origins[row]), turned, action_kind)
    if action_kind == "pose_quaternion":
        expected[:, 3:] *= np.sign(expected[:, -1:])
    assert np.allclose(relative[:, 1:], expected, atol=1e-12)
    assert np.array_equal(relative[:, :1], gripper), "other columns are copied"
    again = to_absolute(relative, states, [block])
    assert np.allclose(again[:, :4], absolute[:, :4], atol=1e-12)
    split = slice(4, 1 + POSE_WIDTHS[action_kind])
    sign = np.sign((again[:, split] * absolute[:, split]).sum(1, keepdims=True))
    assert np.allclose(sign * again[:, split], absolute[:, split], atol=1e-12)


def test_staying_at_the_reference_is_zero_and_identity() -> None:
    state = pose(
        np.array([[1.0, 2.0, 3.0]]), Rotation.random(1, rng=np.random.default_rng(0)), "pose_quaternion"
    )
    block = RelativePose(0, "pose_quaternion", 0, "pose_quaternion")
    assert np.allclose(to_relative(state, state, [block]), [[0, 0, 0, 0, 0, 0, 1]], atol=1e-12)


def test_batches_of_chunks_each_have_their_own_reference() -> None:
    actions, states = (
        np.random.default_rng(0).normal(size=(2, 5, 4, 6)),
        np.arange(60, dtype=np.float64).reshape(2, 5, 2, 3),
    )
    blocks = [
        RelativePose(0, "position", 0, "position"),
        RelativePose(3, "position", 0, "position", "oldest"),
    ]
    relative = to_relative(actions, states, blocks)
    assert np.allclose(relative[..., :3], actions[..., :3] - states[:, :, None, 1])
    assert np.allclose(relative[..., 3:], actions[..., 3:] - states[:, :, None, 0])
    assert np.allclose(to_absolute(relative, states, blocks), actions)
