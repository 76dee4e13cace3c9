# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A chunk is refused exactly when a row breaks a limit, and the reason names it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from helpers.sawyer import sawyer_values, turning_sawyer
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path

STEP_S = 0.05


def robot(**limits: Any) -> RobotSpec:
    values = sawyer_values()
    values["limits"] |= limits
    return RobotSpec.from_mapping(values)


def turning_robot() -> RobotSpec:
    return turning_sawyer(velocity=2.0, acceleration=20.0, start_jump=0.3)


def about_z(angle: float) -> list[float]:
    return [0.0, 0.6, 0.2, 0.0, 0.0, float(np.sin(angle / 2)), float(np.cos(angle / 2)), 0.0]


ROBOT = robot()
ROBOT_LIMITS = ActionLimits(ROBOT)


@pytest.fixture
def limits() -> ActionLimits:
    return ROBOT_LIMITS


def rows(*xs: float, gripper: float = 0.0) -> Any:
    return np.array([[x, 0.6, 0.2, gripper] for x in xs])


def refused(limits: ActionLimits, actions: Any) -> tuple[ReasonCode, str]:
    reason = limits.check_rows(np.array(actions, dtype=np.float64), STEP_S)
    assert reason is not None
    return reason.code, reason.text


@pytest.mark.parametrize(
    ("actions", "code", "words"),
    [
        (rows(0.0, np.nan), ReasonCode.CHUNK_NON_FINITE, ("row 1", "x")),
        (rows(0.0, -np.inf), ReasonCode.CHUNK_NON_FINITE, ("row 1", "x", "-inf")),
        (rows(0.6), ReasonCode.POSITION_LIMIT, ("row 0", "x = 0.6", "[-0.55, 0.55]")),
        (rows(0.0, 0.0, gripper=2.2), ReasonCode.POSITION_LIMIT, ("gripper", "2.2")),
        (rows(0.0, 0.0, 0.08), ReasonCode.VELOCITY_LIMIT, ("row 2", "x", "1.6/s", "1.5/s")),
        (rows(0.0, 0.0, 0.07, -0.006), ReasonCode.VELOCITY_LIMIT, ("row 3",)),
    ],
)
def test_each_limit_names_row_value_and_bound(limits: ActionLimits, actions: Any, code: Any, words: Any):
    found, text = refused(limits, actions)
    assert found == code and all(word in text for word in words), text


def test_the_workspace_box_counts_where_the_position_limits_are_wider():
    wide = {"x": [-9.0, 9.0], "y": [-9.0, 9.0], "z": [-9.0, 9.0], "gripper": [-1.0, 1.0]}
    code, text = refused(ActionLimits(robot(position=wide)), rows(0.7))
    assert code == ReasonCode.WORKSPACE_LIMIT and "x = 0.7" in text


def test_a_reversal_breaks_the_acceleration_limit():
    bound = ActionLimits(robot(acceleration={"x": 15.0, "y": 15.0, "z": 15.0}))
    code, text = refused(bound, rows(0.0, 0.05, 0.05, 0.0))
    assert code == ReasonCode.ACCELERATION_LIMIT and "row 2" in text
    assert bound.check_rows(rows(0.0, 0.05, 0.06), STEP_S) is not None
    assert bound.check_rows(rows(0.0, 0.05, 0.1), STEP_S) is None


def test_rotations_have_limits_of_their_own():
    bound = ActionLimits(turning_robot())
    assert bound.check_rows(np.array([about_z(0.0), about_z(0.09), about_z(0.18)]), STEP_S) is None
    flipped = np.array([about_z(0.0), [*about_z(0.0)[:3], 0.0, 0.0, 0.0, -1.0, 0.0]])
    assert bound.check_rows(flipped, STEP_S) is None  # the same orientation with the other sign
    code, text = refused(bound, [about_z(0.0), about_z(0.11)])
    assert code == ReasonCode.VELOCITY_LIMIT and "qx..qw" in text and "2.2" in text
    code, _ = refused(bound, [about_z(0.0), about_z(0.09), about_z(0.09)])
    assert code == ReasonCode.ACCELERATION_LIMIT
    reason = bound.check_start(np.array(about_z(0.0)), np.array(about_z(0.4)))
    assert reason is not None and reason.code == ReasonCode.START_JUMP
    assert bound.check_start(np.array(about_z(0.0)), np.array(about_z(0.2))) is None


def test_the_start_is_compared_in_measured_columns_only(limits: ActionLimits):
    here = np.array([0.0, 0.6, np.nan, np.nan])
    assert limits.check_start(here, np.array([0.1, 0.6, 9.0, 9.0])) is None
    reason = limits.check_start(here, np.array([0.0, 0.8, 0.2, 0.0]))
    assert reason is not None and reason.code == ReasonCode.START_JUMP and "y" in reason.text


def test_coming_to_rest_ends_at_the_border_but_never_moves_back_inside(limits: ActionLimits):
    inside, outside = np.array([0.5, 0.6, 0.2, 0.0]), np.array([0.7, 0.6, 0.2, 0.0])
    assert limits.clamp(np.array([0.6, 0.6, -0.1, 0.0]), inside).tolist() == [0.55, 0.6, 0.0, 0.0]
    assert limits.clamp(outside, outside).tolist() == outside.tolist()


GRID = st.integers(-500, 900).map(lambda step: 0.0013 * step)
"""No limit lies on the grid, so that rounding decides nothing."""


@examples(200)
@given(st.lists(st.tuples(GRID, GRID, GRID, GRID), min_size=1, max_size=6))
def test_a_chunk_passes_exactly_when_every_row_is_within_every_limit(values):
    spec = ROBOT
    actions = np.array(values)
    low, high = (np.array([spec.limits.position[n][i] for n in spec.action_names]) for i in (0, 1))
    inside = bool(((actions >= low) & (actions <= high)).all())
    speeds = np.abs(np.diff(actions[:, :3], axis=0)) / STEP_S
    slow = bool((speeds <= 1.5).all())
    smooth = bool((np.abs(np.diff(actions[:, :3], n=2, axis=0)) / STEP_S**2 <= 60.0).all())
    assert (ROBOT_LIMITS.check_rows(actions, STEP_S) is None) == (inside and slow and smooth)


@pytest.mark.parametrize(
    ("apart", "hint"),
    [
        (2 * np.pi - 0.003, "; about a full turn apart"),
        (-4 * np.pi, "; about 2 full turns apart"),
        (0.5, ""),
        (2 * np.pi - 1.0, ""),
    ],
)
def test_a_joint_that_is_a_full_turn_away_is_called_so(apart: float, hint: str):
    spec = RobotSpec.load(shared_path("config/robots/ur5e.yaml"))
    here = np.array([0.0, -1.5, 1.5, -1.5, -1.5, -3.08, 0.1])
    there = here.copy()
    there[5] += apart
    reason = ActionLimits(spec).check_start(here, there)
    assert reason is not None and reason.code == ReasonCode.START_JUMP
    assert reason.text.partition("limit 0.15")[2] == hint
