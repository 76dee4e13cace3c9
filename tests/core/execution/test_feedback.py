# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The measured action comes from fresh, well-formed feedback or not at all."""

import numpy as np
import pytest

from lbm_policy_node.core.execution.feedback import FeedbackReader
from lbm_policy_node.core.observation.samples import PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec

MS = 1_000_000


def pose(x: float = 0.1) -> PoseSample:
    return PoseSample(np.array([x, 0.6, 0.2]), np.array([0.0, 0.0, 0.0, 1.0]), "base")


def test_measured_columns_are_filled_and_the_others_are_nan(spec: RobotSpec):
    reader = FeedbackReader(spec)
    reader.push("ee_pose", 100 * MS, pose(), 100 * MS)
    np.testing.assert_array_equal(reader.measured(110 * MS), [0.1, 0.6, 0.2, np.nan])


def test_an_older_stamp_does_not_replace_a_newer_one(spec: RobotSpec):
    reader = FeedbackReader(spec)
    reader.push("ee_pose", 100 * MS, pose(0.1), 100 * MS)
    reader.push("ee_pose", 90 * MS, pose(0.11), 101 * MS)
    measured = reader.measured(110 * MS)
    assert isinstance(measured, np.ndarray) and measured[0] == 0.1


@pytest.mark.parametrize(
    ("stamp_ms", "now_ms", "value"),
    [(None, 100, 0.1), (100, 301, 0.1), (900, 100, 0.1), (100, 100, float("nan"))],
)
def test_missing_old_future_and_bad_feedback_is_refused(
    spec: RobotSpec, stamp_ms: int | None, now_ms: int, value: float
):
    reader = FeedbackReader(spec)
    if stamp_ms is not None:
        reader.push("ee_pose", stamp_ms * MS, pose(value), min(stamp_ms, now_ms) * MS)
    measured = reader.measured(now_ms * MS)
    assert isinstance(measured, Reason) and measured.code == ReasonCode.FEEDBACK_MISSING


def test_feedback_from_before_a_clock_jump_is_dropped(spec: RobotSpec):
    reader = FeedbackReader(spec)
    reader.push("ee_pose", 950 * MS, pose(), 1_000 * MS)
    assert isinstance(reader.measured(960 * MS), Reason)
    reader.push("ee_pose", 970 * MS, pose(0.3), 970 * MS)
    measured = reader.measured(970 * MS)
    assert isinstance(measured, np.ndarray) and measured[0] == 0.3


def test_one_stamp_ahead_of_the_clock_holds_until_the_next_good_message(spec: RobotSpec):
    reader = FeedbackReader(spec)
    reader.push("ee_pose", 100 * MS, pose(0.1), 100 * MS)
    reader.push("ee_pose", 3_600_110 * MS, pose(0.11), 110 * MS)
    held = reader.measured(120 * MS)
    assert isinstance(held, Reason) and "is stamped 3599.990 s ahead of the clock" in held.text
    reader.push("ee_pose", 130 * MS, pose(0.12), 130 * MS)
    measured = reader.measured(140 * MS)
    assert isinstance(measured, np.ndarray) and measured[0] == 0.12


def test_a_stamp_that_the_clock_catches_up_with_counts_then(spec: RobotSpec):
    reader = FeedbackReader(spec)
    reader.push("ee_pose", 100 * MS + spec.max_skew_ns + MS, pose(0.2), 100 * MS)
    assert isinstance(reader.measured(100 * MS), Reason)
    measured = reader.measured(101 * MS)
    assert isinstance(measured, np.ndarray) and measured[0] == 0.2


def test_a_zero_stamp_is_called_so(spec: RobotSpec):
    reader = FeedbackReader(spec)
    reader.push("ee_pose", 0, pose(), 900 * MS)
    held = reader.measured(900 * MS)
    assert isinstance(held, Reason) and "has a zero stamp" in held.text
