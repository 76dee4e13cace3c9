# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which columns are compared, in which unit, and the rotations among them."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from helpers.places import ROOT
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_actions import ActionBlock, ActionSpec, OutputSpec
from lbm_policy_node.monitors.columns import RotationColumns, ScoredColumns
from lbm_policy_node.monitors.scale import ActionScale

ROBOTS = sorted((ROOT / "config" / "robots").glob("*.yaml"))


def action(*blocks: tuple[str, int]) -> ActionSpec:
    """An action of blocks, each of a kind and a number of columns named after its place."""
    made: list[ActionBlock] = []
    for kind, size in blocks:
        start = sum(len(block.names) for block in made)
        names = tuple(f"c{start + i}" for i in range(size))
        rotation = {7: "quaternion", 9: "rot6d"}.get(size, "") if kind == "ee_pose" else ""
        made.append(ActionBlock(kind, names, "", start, "linear", rotation, OutputSpec("/t", ""), None))
    return ActionSpec(tuple(made), 0.0)


def test_grippers_are_left_out_wherever_they_stand() -> None:
    columns = ScoredColumns.from_spec(
        action(("gripper", 1), ("joint_position", 3), ("gripper", 2), ("joint_position", 2))
    )
    assert columns.linear == (1, 2, 3, 6, 7)
    assert columns.names == ("c1", "c2", "c3", "c6", "c7")
    assert columns.width == 5 and not columns.rotations


@pytest.mark.parametrize(
    ("size", "kind", "name"), [(7, "quaternion", "c3+c4+c5+c6"), (9, "rot6d", "c3+c4+c5+c6+c7+c8")]
)
def test_rotation_is_one_scored_value_of_three_degrees_of_freedom(size, kind, name) -> None:
    columns = ScoredColumns.from_spec(action(("ee_pose", size), ("gripper", 1), ("ee_position", 3)))
    assert columns.rotations == (RotationColumns(3, kind),)
    assert columns.names == ("c0", "c1", "c2", f"c{size + 1}", f"c{size + 2}", f"c{size + 3}", name)
    assert columns.width == 9


@pytest.mark.parametrize("path", ROBOTS, ids=lambda path: path.stem)
def test_every_robot_that_comes_along_has_something_to_compare(path) -> None:
    spec = RobotSpec.load(path)
    names = ScoredColumns.from_spec(spec.action).names
    grippers = {name for block in spec.action.blocks if block.kind == "gripper" for name in block.names}
    assert set(names) == set(spec.action_names) - grippers


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScoredColumns.from_spec(action(("gripper", 1))), "no column of .* can be compared"),
        (lambda: ScoredColumns(("a", "b"), (0, 2)), "not distinct columns of 2"),
        (lambda: ScoredColumns(("a", "b"), (0, 0)), "not distinct columns"),
        (lambda: ScoredColumns(tuple("abcdef"), (0,), (RotationColumns(3, "quaternion"),)), "not distinct"),
        (
            lambda: ScoredColumns(tuple("abcdef"), (0,), (RotationColumns(1, "euler"),)),
            "a rotation is one of",
        ),
    ],
)
def test_columns_that_cannot_be_are_refused(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_selected_values_are_the_named_ones() -> None:
    columns = ScoredColumns.from_spec(action(("joint_position", 2), ("gripper", 1), ("ee_pose", 7)))
    actions = np.random.default_rng(0).normal(size=(4, 5, 10))
    values = columns.select(actions)
    assert np.array_equal(values.linear, actions[..., [0, 1, 3, 4, 5]])
    expected = Rotation.from_quat(actions[..., 6:].reshape(-1, 4)).as_quat().reshape(4, 5, 4)
    assert values.turns[:, :, 0] == pytest.approx(expected)


SIX = ScoredColumns.from_spec(action(("joint_position", 2), ("gripper", 1), ("ee_pose", 7)))


def test_scale_is_the_standard_deviation_and_a_radian() -> None:
    std = np.array([0.5, 2.0, 9.0, 0.1, 0.2, 0.3, 7.0, 7.0, 7.0, 7.0])
    scale = ActionScale.from_statistics(std, SIX)
    assert scale.names == SIX.names
    assert scale.scale == pytest.approx((0.5, 2.0, 0.1, 0.2, 0.3, 1.0))
    assert ActionScale.unit(SIX).scale == (1.0,) * 6


def test_statistics_per_future_step_join_by_root_mean_square() -> None:
    std = np.random.default_rng(0).uniform(0.1, 2.0, (16, 10))
    joined = ActionScale.from_statistics(np.sqrt((std**2).mean(0)), SIX)
    assert ActionScale.from_statistics(std, SIX).scale == pytest.approx(joined.scale)


def test_column_that_never_moved_keeps_its_unit() -> None:
    std = np.full(10, 0.5)
    std[:2] = 0.0, 1e-9
    assert ActionScale.from_statistics(std, SIX).scale[:3] == (1.0, 1.0, 0.5)


@pytest.mark.parametrize(
    ("std", "message"),
    [
        (np.ones(9), r"must have shape \(10,\)"),
        (np.ones((2, 2, 10)), r"must have shape \(10,\)"),
        (np.ones((0, 10)), r"must have shape \(10,\)"),
        (np.float64(1.0), r"must have shape \(10,\)"),
        (np.full(10, np.nan), "must be finite"),
        (np.full(10, -1.0), "not negative"),
    ],
)
def test_statistics_that_do_not_fit_are_refused(std, message) -> None:
    with pytest.raises(ValueError, match=message):
        ActionScale.from_statistics(std, SIX)


def test_scale_survives_json() -> None:
    scale = ActionScale.from_statistics(np.random.default_rng(0).uniform(0.1, 2.0, 10), SIX)
    assert ActionScale.from_dict(json.loads(json.dumps(scale.to_dict()))) == scale


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"names": ["a"]}, "has the keys names and scale"),
        ([], "has the keys names and scale"),
        ({"names": "a", "scale": [1.0]}, "names must be a list of texts"),
        ({"names": ["a"], "scale": ["1"]}, "scale must be a list of numbers"),
        ({"names": ["a"], "scale": [True]}, "scale must be a list of numbers"),
        ({"names": ["a"], "scale": [1.0, 2.0]}, "need as many scales"),
        ({"names": ["a"], "scale": [0.0]}, "the scale of 'a' must be finite and above 0"),
        ({"names": ["a"], "scale": [float("inf")]}, "the scale of 'a' must be finite and above 0"),
    ],
)
def test_wrong_scale_in_a_file_is_refused(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        ActionScale.from_dict(values)
