# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A command becomes what each kind of controller takes: values, poses, velocities, timed trajectories."""

import math
from typing import Any

import numpy as np
import pytest
import yaml

from helpers.fake_robot import SPEC
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.braking import Brake, motion_between
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.reasons import OK
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_actions import ActionSpec, read_action
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.spec_streams import read_streams
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros.executor.command_messages import make_writer

NOW_NS = 5_000_000_000
TICK_NS = 10_000_000
ARRAY = "std_msgs/msg/Float64MultiArray"
TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
ARM = {"stream": "joints", "joints": ["a", "b"]}


def _action(*blocks: dict[str, Any]) -> ActionSpec:
    streams = read_streams(SpecReader("spec", "streams", yaml.safe_load(SPEC)["streams"]), "base")
    return read_action(SpecReader("spec", "action", {"blocks": list(blocks)}), streams, "base")


def _writer(*blocks: dict[str, Any]) -> Any:
    action = _action(*blocks)
    ((_topic, sharing),) = action.by_topic().items()
    return make_writer(sharing, action, TICK_NS * 1e-9)


def _command(action: Any, plan: Plan | None = None) -> Command:
    values = None if action is None else np.asarray(action, float)
    return Command(values, ControlMode.POLICY, OK, 1, values, plan)


def _arm(output: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "joint_position", "names": ["a", "b"], "output": output, "feedback": ARM}


def _pose_block(message_type: str) -> dict[str, Any]:
    names = ["x", "y", "z", "qx", "qy", "qz", "qw"]
    return {
        "kind": "ee_pose",
        "names": names,
        "output": {"topic": "/t", "type": message_type},
        "feedback": {"stream": "ee_pose", "fields": names},
    }


def test_blocks_that_share_an_array_topic_are_sent_in_column_order():
    gripper = {"kind": "gripper", "names": ["g"], "output": {"topic": "/t", "type": ARRAY}}
    writer = _writer(_arm({"topic": "/t", "type": ARRAY}), gripper)
    assert list(writer.message(_command([0.1, 0.2, 1.0]), NOW_NS).data) == [0.1, 0.2, 1.0]
    assert writer.message(_command(None), NOW_NS) is None


def test_a_streamed_trajectory_point_is_due_at_the_next_tick():
    output = {"topic": "/t", "type": TRAJECTORY, "mode": "stream", "joints": ["arm_a", "arm_b"]}
    message = _writer(_arm(output)).message(_command([0.1, 0.2]), NOW_NS)
    assert message.joint_names == ["arm_a", "arm_b"]
    (point,) = message.points
    assert list(point.positions) == [0.1, 0.2] and to_ns(point.time_from_start) == TICK_NS
    assert to_ns(message.header.stamp) == 0


def test_a_whole_chunk_is_sent_once_with_times_and_without_its_past():
    writer = _writer(_arm({"topic": "/t", "type": TRAJECTORY, "mode": "chunk"}))
    times = tuple(NOW_NS + offset for offset in (-50_000_000, 0, 50_000_000, 100_000_000))
    rows = np.arange(8.0).reshape(4, 2)
    message = writer.message(_command(rows[1], Plan(times, rows)), NOW_NS)
    assert to_ns(message.header.stamp) == NOW_NS
    due = [to_ns(point.time_from_start) for point in message.points]
    assert due == [50_000_000, 100_000_000, 200_000_000]  # the end is never in the controller's past
    assert [list(p.positions) for p in message.points] == [[4.0, 5.0], [6.0, 7.0], [6.0, 7.0]]
    assert writer.message(_command(rows[1]), NOW_NS) is None
    late = writer.message(_command(rows[1], Plan(times, rows)), times[-1] + 1)
    assert [list(point.positions) for point in late.points] == [[6.0, 7.0]]
    assert to_ns(late.points[-1].time_from_start) == 200_000_000


def test_a_pose_target_carries_frame_time_position_and_orientation():
    half = math.sqrt(0.5)
    writer = _writer(_pose_block("geometry_msgs/msg/PoseStamped"))
    message = writer.message(_command([1.0, 2.0, 3.0, 0.0, 0.0, half, half]), NOW_NS)
    assert message.header.frame_id == "base" and to_ns(message.header.stamp) == NOW_NS
    turn = message.pose.orientation
    assert (message.pose.position.y, turn.z, turn.w) == pytest.approx((2.0, half, half))


def test_velocities_are_those_of_the_commands_in_the_base_frame_and_end_at_zero():
    writer = _writer(_pose_block("geometry_msgs/msg/TwistStamped"))
    facing_left = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    rolled = _times(facing_left, np.array([math.sin(0.01), 0.0, 0.0, math.cos(0.01)]))
    first = writer.message(_command([0.0, 0.0, 0.0, *facing_left]), NOW_NS)
    assert first.twist.linear.x == 0.0
    moving = writer.message(_command([0.01, 0.0, 0.0, *rolled]), NOW_NS + TICK_NS)
    linear, angular = moving.twist.linear, moving.twist.angular
    assert (linear.x, linear.y) == pytest.approx((1.0, 0.0))
    assert (angular.x, angular.y, angular.z) == pytest.approx((0.0, 2.0, 0.0), abs=1e-9)
    last = writer.last_message(NOW_NS + TICK_NS)  # if the node goes down now
    assert last.twist.linear.x == 0.0 and last.twist.angular.y == 0.0
    for tick in range(2, 52):  # half a second
        stopped = writer.message(_command(None), NOW_NS + tick * TICK_NS)
        assert stopped.twist.linear.x == 0.0 and stopped.twist.angular.y == 0.0
    assert writer.message(_command(None), NOW_NS + 52 * TICK_NS) is None
    assert writer.last_message(NOW_NS + 52 * TICK_NS) is None


def _times(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the quaternion product p q, xyzw."""
    vector = p[3] * q[:3] + q[3] * p[:3] + np.cross(p[:3], q[:3])
    return np.append(vector, p[3] * q[3] - p[:3] @ q[:3])


def test_the_operators_commands_are_streamed_also_where_chunks_are_sent_whole():
    writer = _writer(_arm({"topic": "/t", "type": TRAJECTORY, "mode": "chunk"}))
    command = Command(np.array([0.1, 0.2]), ControlMode.HUMAN, OK, 0, None, None, "gamepad")
    for _ in range(2):
        (point,) = writer.message(command, NOW_NS).points
        assert list(point.positions) == [0.1, 0.2] and to_ns(point.time_from_start) == TICK_NS


def test_a_stop_has_no_stamp_and_is_sent_again_until_it_ends():
    writer = _writer(_arm({"topic": "/t", "type": TRAJECTORY, "mode": "chunk"}))
    limits = ActionLimits(RobotSpec.load(shared_path("config/robots/ur5e.yaml")))
    before = np.zeros(7)
    after = before + np.array([0.01, 0, 0, 0, 0, 0, 0])  # 1 rad/s
    stop = Brake(limits, motion_between(limits, NOW_NS - TICK_NS, before, NOW_NS, after), 0.0)

    def message(tick: int, *, stopping: bool = True) -> Any:
        held = stop if stopping else None
        command = Command(after, ControlMode.STOPPED, OK, 0, None, None, stop=held)
        return writer.message(command, NOW_NS + tick * TICK_NS)

    sent = {tick: message(tick) for tick in range(12)}
    assert [tick for tick, m in sent.items() if m is not None] == [0, 5, 10]
    for trajectory in (sent[0], sent[5], sent[10], writer.last_message(NOW_NS + 11 * TICK_NS)):
        assert to_ns(trajectory.header.stamp) == 0
        assert list(trajectory.points[-1].velocities) == [0.0, 0.0]
        assert to_ns(trajectory.points[0].time_from_start) >= 3 * TICK_NS
    assert message(12, stopping=False) is None
    assert writer.last_message(NOW_NS + 12 * TICK_NS) is None
