# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the operator wants the robot: integrated twists, clutched poses and joints, refused messages."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from helpers.teleop_robots import (
    JOY,
    POSE,
    SECOND,
    START,
    TURNING_START,
    TWIST,
    leading_robot,
    moving_robot,
    turning_robot,
)
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.joy_buttons import read_buttons
from lbm_policy_node.core.takeover.kinds.joy import JoySample, JoySource, read_axes, twist_of
from lbm_policy_node.core.takeover.kinds.twist import TwistSample
from lbm_policy_node.core.takeover.teleop_target import TeleopTarget

TICK_NS = SECOND // 100
LEADER = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")


def target_of(spec: RobotSpec) -> TeleopTarget:
    return TeleopTarget(spec, ActionLimits(spec), spec.teleop[0])


def pose(xyz: tuple[float, float, float], turn: Rotation | None = None, frame: str = "base") -> PoseSample:
    return PoseSample(np.array(xyz), (turn or Rotation.identity()).as_quat(), frame)


def joints(*positions: float) -> JointSample:
    nothing = np.empty(0)
    return JointSample(LEADER, np.array(positions), nothing, nothing)


def joystick() -> JoySource:
    (source,) = moving_robot(JOY).teleop
    assert isinstance(source, JoySource)
    return source


def test_an_axis_grows_from_zero_beyond_the_deadband_and_saturates():
    def speed(deflection: float) -> float:
        sample = read_axes(joystick(), [deflection, 0.0, 0.0])
        assert isinstance(sample, JoySample)
        return twist_of(joystick(), replace(sample, usable=frozenset({0, 1, 2}))).linear[0]

    assert [speed(v) for v in (0.0, 0.1, -0.1)] == [0.0, 0.0, 0.0]
    np.testing.assert_allclose([speed(v) for v in (0.55, -0.55, 1.0, 7.0)], [1.5, -1.5, 3.0, 3.0])


def test_a_joy_message_with_too_few_axes_or_buttons_or_nan_is_refused():
    few, nan = read_axes(joystick(), [0.0, 1.0]), read_axes(joystick(), [0.0, float("nan"), 0.0])
    assert isinstance(few, Reason) and few.code == ReasonCode.OBSERVATION_WRONG_SHAPE
    assert few.text == "gamepad: the spec maps axis 2, /joy has 2 axes"
    assert isinstance(nan, Reason) and nan.code == ReasonCode.OBSERVATION_NON_FINITE
    assert read_buttons({"success": 1, "estop": 0}, [0, 1], "/joy") == {"success"}
    missing = read_buttons({"success": 3}, [0, 1], "/joy")
    assert isinstance(missing, Reason) and missing.code == ReasonCode.OBSERVATION_WRONG_SHAPE


def test_a_twist_is_integrated_from_the_command_and_no_faster_than_the_limit():
    target = target_of(moving_robot(TWIST))
    target.on_sample(TwistSample(np.array([0.2, -9.0, 0.0]), np.zeros(3), "base"), 0, 0)
    target.take_over(0, START)
    for tick in range(1, 21):
        at = target.at(tick * TICK_NS)
    np.testing.assert_allclose(at, START + np.array([0.04, -0.3, 0.0, 0.0]))


def test_a_stall_of_the_loop_does_not_make_the_target_leap():
    target = target_of(moving_robot(TWIST))
    target.on_sample(TwistSample(np.array([1.0, 0.0, 0.0]), np.zeros(3), "base"), 0, 0)
    target.take_over(0, START)
    assert target.at(5 * SECOND)[0] == pytest.approx(0.1)
    assert target.at(4 * SECOND)[0] == pytest.approx(0.1)


def test_a_twist_turns_about_the_axes_of_the_base():
    target = target_of(turning_robot(TWIST))
    start = TURNING_START.copy()
    start[3:7] = Rotation.from_euler("x", 90, degrees=True).as_quat()
    target.on_sample(TwistSample(np.zeros(3), np.array([0.0, 0.0, 0.5]), "base"), 0, 0)
    target.take_over(0, start)
    turned = Rotation.from_quat(target.at(SECOND // 10)[3:7])
    expected = Rotation.from_rotvec([0.0, 0.0, 0.05]) * Rotation.from_quat(start[3:7])
    assert (turned * expected.inv()).magnitude() < 1e-9


def test_with_the_clutch_only_the_motion_since_the_takeover_counts():
    target = target_of(turning_robot(POSE))
    first = Rotation.from_euler("y", 40, degrees=True)
    turn = Rotation.from_rotvec([0.1, 0.2, -0.1])
    start = TURNING_START.copy()
    start[3:7] = Rotation.from_euler("zx", [30, 50], degrees=True).as_quat()
    assert target.on_sample(pose((5.0, 5.0, 5.0), first), 0, 0) is None
    target.take_over(0, start)
    np.testing.assert_allclose(target.at(0)[:3], start[:3])
    assert target.on_sample(pose((5.05, 5.0, 4.95), turn * first), TICK_NS, TICK_NS) is None
    at = target.at(TICK_NS)
    np.testing.assert_allclose(at[:3], start[:3] + np.array([0.05, 0.0, -0.05]))
    expected = turn * Rotation.from_quat(start[3:7])
    assert (Rotation.from_quat(at[3:7]) * expected.inv()).magnitude() < 1e-9


def test_without_the_clutch_the_pose_is_the_target_inside_the_workspace():
    target = target_of(moving_robot({**POSE, "clutch": False}))
    target.on_sample(pose((0.1, 0.65, 0.21)), 0, 0)
    target.take_over(0, START)
    np.testing.assert_allclose(target.at(0), [0.1, 0.65, 0.21, 1.0])
    assert target.check_start(0) is None
    target.on_sample(pose((0.1, 0.65, 0.16)), TICK_NS, TICK_NS)
    far = target_of(moving_robot({**POSE, "clutch": False}))
    far.on_sample(pose((0.5, 0.6, 9.0)), 0, 0)
    far.take_over(0, START)
    np.testing.assert_allclose(far.at(0), [0.5, 0.6, 0.6, 1.0])
    refused = far.check_start(0)
    assert refused and refused.code == ReasonCode.START_JUMP


def test_a_leader_arm_moves_the_follower_from_where_it_is():
    target = target_of(leading_robot())
    start = np.array([0.5, -0.5, 0.0, 0.1, 0.0, 0.2])
    target.on_sample(joints(-1.0, 0.0, 0.0, 0.0, 0.0, 1.0), 0, 0)
    target.take_over(0, start)
    target.on_sample(joints(-0.9, 0.0, 0.2, 0.0, 0.0, 0.9), TICK_NS, TICK_NS)
    np.testing.assert_allclose(target.at(TICK_NS), start + np.array([0.1, 0.0, 0.2, 0.0, 0.0, -0.1]))


def test_a_jump_is_refused_and_a_lasting_one_ends_in_staleness():
    target = target_of(leading_robot())
    target.on_sample(joints(0, 0, 0, 0, 0, 0), 0, 0)
    for tick in range(1, 26):
        refused = target.on_sample(joints(0, 0.31, 0, 0, 0, 0), tick * TICK_NS, tick * TICK_NS)
        assert refused and refused.code == ReasonCode.START_JUMP and "'shoulder_lift'" in refused.text
        assert target.fault(tick * TICK_NS) is None
    stale = target.fault(26 * TICK_NS)
    assert stale and stale.code == ReasonCode.OBSERVATION_STALE
    assert target.on_sample(joints(0, 0.31, 0, 0, 0, 0), 26 * TICK_NS, 26 * TICK_NS) is None


@pytest.mark.parametrize(
    ("after", "reads"),
    [
        (pose((0.11, 0.0, 0.0)), "0.11 m"),
        (pose((0.0, 0.0, 0.0), Rotation.from_rotvec([0, 0.6, 0])), "0.6 rad"),
    ],
)
def test_a_jump_of_a_pose_is_refused_in_position_and_in_rotation(after: PoseSample, reads: str):
    target = target_of(turning_robot(POSE))
    target.on_sample(pose((0.0, 0.0, 0.0)), 0, 0)
    refused = target.on_sample(after, 1, 1)
    assert refused and refused.code == ReasonCode.START_JUMP and reads in refused.text


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (pose((0, 0, 0), frame="camera"), ReasonCode.OBSERVATION_WRONG_FRAME),
        (pose((float("nan"), 0, 0)), ReasonCode.OBSERVATION_NON_FINITE),
        (PoseSample(np.zeros(3), np.zeros(4), "base"), ReasonCode.REQUEST_INVALID),
        (TwistSample(np.zeros(3), np.zeros(3), "base"), ReasonCode.REQUEST_INVALID),
    ],
)
def test_a_pose_that_cannot_be_followed_is_refused(sample: PoseSample | TwistSample, code: ReasonCode):
    target = target_of(moving_robot(POSE))
    refused = target.on_sample(sample, 0, 0)
    assert refused and refused.code == code
    fault = target.fault(0)
    assert fault and fault.code == ReasonCode.OBSERVATION_MISSING


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (
            JointSample(LEADER[1:], np.zeros(5), np.empty(0), np.empty(0)),
            ReasonCode.OBSERVATION_WRONG_JOINTS,
        ),
        (JointSample(LEADER, np.zeros(5), np.empty(0), np.empty(0)), ReasonCode.OBSERVATION_WRONG_SHAPE),
        (joints(0, 0, 0, 0, 0, float("inf")), ReasonCode.OBSERVATION_NON_FINITE),
    ],
)
def test_a_leader_message_that_cannot_be_followed_is_refused(sample: JointSample, code: ReasonCode):
    refused = target_of(leading_robot()).on_sample(sample, 0, 0)
    assert refused and refused.code == code


def test_old_future_and_reordered_samples_are_refused():
    target = target_of(moving_robot(POSE))
    for stamp_ns in (SECOND - SECOND // 2, 2 * SECOND):
        refused = target.on_sample(pose((0, 0, 0)), stamp_ns, SECOND)
        assert refused and refused.code == ReasonCode.OBSERVATION_STALE
    assert target.on_sample(pose((0, 0, 0)), SECOND, SECOND) is None
    refused = target.on_sample(pose((0, 0, 0)), SECOND - 1, SECOND)
    assert refused and "older than the one before" in refused.text
