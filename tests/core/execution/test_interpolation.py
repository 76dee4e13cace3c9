# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Between two actions each column moves as it should: linear, along the shorter arc, or not at all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers.examples import examples
from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.rotations import (
    geodesic_angle,
    slerp,
)
from lbm_policy_node.core.spec.robot_spec import RobotSpec

NUMBER = st.floats(-1.0, 1.0)
QUATERNION = st.tuples(NUMBER, NUMBER, NUMBER, NUMBER).map(np.array).filter(lambda q: np.linalg.norm(q) > 0.1)


def unit(quaternion: Any) -> Any:
    return quaternion / np.linalg.norm(quaternion)


def layout(rotation_names: list[str]) -> ActionLayout:
    pose = {"topic": "/p", "type": "geometry_msgs/msg/PoseStamped", "max_age_s": 0.1}
    fields = ["qx", "qy", "qz", "qw"] if len(rotation_names) == 4 else [f"rot6d_{i}" for i in range(6)]
    names = ["x", "y", "z", *rotation_names]
    bound = dict.fromkeys("xyz", 1.0) | {"opening": 1.0}
    spec = RobotSpec.from_mapping(
        {
            "name": "arm",
            "step_s": 0.1,
            "control_rate_hz": 100.0,
            "base_frame": "base",
            "max_skew_s": 0.1,
            "streams": {"pose": pose},
            "images": {},
            "state": [{"stream": "pose", "fields": ["x"]}],
            "action": {
                "blocks": [
                    {
                        "kind": "ee_pose",
                        "names": names,
                        "output": {"topic": "/t", "type": "geometry_msgs/msg/PoseStamped"},
                        "feedback": {"stream": "pose", "fields": ["x", "y", "z", *fields]},
                    },
                    {
                        "kind": "gripper",
                        "names": ["opening"],
                        "interpolation": "linear",
                        "output": {"topic": "/o", "type": "std_msgs/msg/Float64MultiArray"},
                    },
                    {
                        "kind": "gripper",
                        "names": ["suction"],
                        "output": {"topic": "/s", "type": "std_msgs/msg/Float64MultiArray"},
                    },
                ]
            },
            "limits": {
                "position": {name: [-9.0, 9.0] for name in ("x", "y", "z", "opening", "suction")},
                "velocity": bound,
                "acceleration": bound,
                "start_jump": bound,
                "workspace": {"min": [-9, -9, -9], "max": [9, 9, 9]},
                "rotation": {"velocity": 1.0, "acceleration": 1.0, "start_jump": 1.0},
            },
        }
    )
    return ActionLayout(spec.action)


QUATERNION_LAYOUT = layout(["qx", "qy", "qz", "qw"])
ROT6D_LAYOUT = layout([f"r{i}" for i in range(6)])


@pytest.mark.parametrize("which", [QUATERNION_LAYOUT, ROT6D_LAYOUT], ids=["quaternion", "rot6d"])
@examples(60)
@given(QUATERNION, QUATERNION, st.floats(0.01, 0.99), NUMBER, NUMBER)
def test_each_block_is_interpolated_in_its_own_way(which, first, second, fraction, a, b):
    _, read, write = which.rotations[0]
    turns = unit(first), unit(second)
    assume(geodesic_angle(*turns) < 3.1)
    start, end = (np.array([v, 0.0, 0.0, *write(q), v, v]) for v, q in zip((a, b), turns, strict=True))
    between = which.interpolate(start, end, fraction)
    linear = (1 - fraction) * a + fraction * b
    assert between[0] == pytest.approx(linear) and between[-2] == pytest.approx(linear)
    assert between[-1] == a
    expected = slerp(*turns, fraction)
    assert abs(read(between[which.rotations[0].columns]) @ expected) == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_array_equal(which.interpolate(start, end, 0.0), start)
    np.testing.assert_array_equal(which.interpolate(start, end, 1.0)[:-1], end[:-1])


@pytest.mark.parametrize("which", [QUATERNION_LAYOUT, ROT6D_LAYOUT], ids=["quaternion", "rot6d"])
def test_regressed_rotations_become_proper_and_degenerate_ones_nan(which: ActionLayout):
    width = which.dim - 5
    rows = np.tile(np.array([0.1, 0.2, 0.3, *np.eye(4)[3][:width], 0.5, 1.0]), (2, 1)) if width == 4 else None
    if rows is None:
        rows = np.array([[0.1, 0.2, 0.3, 1.1, 0.1, 0.0, 0.2, 0.8, 0.0, 0.5, 1.0]] * 2)
    rows[0, 3:-2] *= 1.3
    rows[1, 3:-2] = 0.0
    proper = which.normalised(rows)
    assert np.linalg.norm(which.rotations[0].read(proper[0, 3:-2])) == pytest.approx(1.0)
    assert np.isnan(proper[1, 3:-2]).any()
    np.testing.assert_array_equal(proper[:, :3], rows[:, :3])


@examples(60)
@given(st.lists(st.tuples(QUATERNION, NUMBER, st.sampled_from([-1.0, 1.0])), min_size=1, max_size=6))
def test_a_mean_never_leaves_what_is_averaged(parts):
    rows = np.array([[v, 0, 0, *unit(q), v, g] for q, v, g in parts])
    weights = np.exp(-0.1 * np.arange(len(rows)))
    mean = QUATERNION_LAYOUT.mean(rows, weights)
    values, grippers = rows[:, 0], rows[:, -1]
    assert values.min() - 1e-12 <= mean[0] <= values.max() + 1e-12
    assert np.linalg.norm(mean[3:7]) == pytest.approx(1.0)
    votes = weights @ grippers
    assert mean[-1] in (-1.0, 1.0) and (abs(votes) < 1e-9 or mean[-1] == np.sign(votes))


def test_a_mean_of_one_rotation_with_both_signs_is_that_rotation():
    quaternion = unit(np.array([0.1, 0.2, 0.3, 0.9]))
    rows = np.array([[0, 0, 0, *quaternion, 0, 0], [0, 0, 0, *-quaternion, 0, 0]])
    mean = QUATERNION_LAYOUT.mean(rows, np.ones(2))
    assert abs(mean[3:7] @ quaternion) == pytest.approx(1.0)


def test_a_plan_is_exact_at_its_rows_and_rests_outside():
    rows = np.array([[v, 0, 0, 0, 0, 0, 1, v, v] for v in (0.1, 0.2, 0.4)])
    plan = Plan((100, 200, 300), rows)
    for time_ns, row in zip((50, 100, 200, 300, 900), (0, 0, 1, 2, 2), strict=True):
        np.testing.assert_array_equal(plan.at(QUATERNION_LAYOUT, time_ns), rows[row])
    assert plan.at(QUATERNION_LAYOUT, 250)[0] == pytest.approx(0.3)
    assert plan.at(QUATERNION_LAYOUT, 299)[-1] == 0.2
