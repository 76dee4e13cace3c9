# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a command looks like to each kind of controller; one class per message type, no node."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.duration import Duration
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.rotations import quaternion_to_matrix, rotation_vector_between
from lbm_policy_node.core.spec.spec_actions import ARRAY, POSE, TRAJECTORY, TWIST, ActionBlock, ActionSpec
from lbm_policy_node.core.types import Array

from ..conversion import to_float_array, to_stamp


class CommandWriter(Protocol):
    """Turns commands into messages of one topic; may remember the command before."""

    message_type: type

    def message(self, command: Command, now_ns: int) -> Any | None:
        """Return what to send in this tick, or None for nothing."""
        ...


class ArrayWriter:
    """Float64MultiArray: the values of the blocks, one after the other."""

    message_type = Float64MultiArray

    def __init__(self, columns: Sequence[int]) -> None:
        """Take the columns to send."""
        self._columns = list(columns)

    def message(self, command: Command, now_ns: int) -> Float64MultiArray | None:
        """Return the values."""
        if command.action is None:
            return None
        return Float64MultiArray(data=to_float_array(command.action[self._columns]))


class PoseWriter:
    """PoseStamped in the output's frame; an ``ee_position`` block gets the spec's fixed orientation."""

    message_type = PoseStamped

    def __init__(self, block: ActionBlock, layout: ActionLayout) -> None:
        """Take the block to send."""
        self._block = block
        self._rotation = next((r for r in layout.rotations if r.columns == block.rotation_columns), None)

    def message(self, command: Command, now_ns: int) -> PoseStamped | None:
        """Return the pose."""
        if command.action is None:
            return None
        pose = PoseStamped()
        pose.header.stamp, pose.header.frame_id = to_stamp(now_ns), self._block.output.frame
        values = command.action[self._block.columns]
        point, turn = pose.pose.position, pose.pose.orientation
        point.x, point.y, point.z = (float(v) for v in values[:3])
        turn.x, turn.y, turn.z, turn.w = (float(v) for v in self._orientation(command.action))
        return pose

    def _orientation(self, action: Array) -> Sequence[float] | Array:
        if self._rotation is not None:
            return self._rotation.read(action[self._rotation.columns])
        return self._block.output.orientation or (0.0, 0.0, 0.0, 1.0)


class TwistWriter:
    """TwistStamped: the velocity from one command to the next; zero once when the commands end.

    Open loop: it carries the motion of the commands, not the distance to them.
    """

    message_type = TwistStamped

    def __init__(self, block: ActionBlock, layout: ActionLayout) -> None:
        """Take the block to send."""
        self._block = block
        self._rotation = next((r for r in layout.rotations if r.columns == block.rotation_columns), None)
        self._before: tuple[int, Array] | None = None

    def message(self, command: Command, now_ns: int) -> TwistStamped | None:
        """Return the velocity."""
        before, action = self._before, command.action
        self._before = None if action is None else (now_ns, action)
        if action is None and before is None:
            return None
        linear, angular = np.zeros(3), np.zeros(3)
        if action is not None and before is not None and now_ns > before[0]:
            linear, angular = self._velocity(before[1], action, (now_ns - before[0]) * 1e-9)
        return self._twist(linear, angular, now_ns)

    def _velocity(self, start: Array, end: Array, step_s: float) -> tuple[Array, Array]:
        position = slice(self._block.start, self._block.start + 3)
        linear = (end[position] - start[position]) / step_s
        if self._rotation is None:
            return linear, np.zeros(3)
        turn, read = self._rotation.columns, self._rotation.read
        before, after = read(start[turn]), read(end[turn])
        return linear, quaternion_to_matrix(before) @ rotation_vector_between(before, after) / step_s

    def _twist(self, linear: Array, angular: Array, now_ns: int) -> TwistStamped:
        twist = TwistStamped()
        twist.header.stamp, twist.header.frame_id = to_stamp(now_ns), self._block.output.frame
        for vector, values in ((twist.twist.linear, linear), (twist.twist.angular, angular)):
            vector.x, vector.y, vector.z = (float(v) for v in values)
        return twist


class TrajectoryStreamWriter:
    """JointTrajectory of one point per tick, to be reached by the next tick."""

    message_type = JointTrajectory

    def __init__(self, joints: Sequence[str], columns: Sequence[int], period_s: float) -> None:
        """Take the columns of the joints."""
        self._joints, self._columns, self._period_ns = list(joints), list(columns), round(period_s * 1e9)

    def message(self, command: Command, now_ns: int) -> JointTrajectory | None:
        """Return one point; no stamp, which means from now on."""
        if command.action is None:
            return None
        return JointTrajectory(
            joint_names=self._joints, points=[_point(command.action[self._columns], self._period_ns)]
        )


class TrajectoryPlanWriter:
    """JointTrajectory of the whole motion, once whenever it changes; positions only, stamped.

    Positions only suits the controller's upsampling mode. The deceleration to hold is such a motion too. What
    the operator does next is not known, so the operator's commands are streamed, one point per tick.
    """

    message_type = JointTrajectory

    def __init__(self, joints: Sequence[str], columns: Sequence[int], period_s: float) -> None:
        """Take the columns of the joints."""
        self._joints, self._columns = list(joints), list(columns)
        self._stream = TrajectoryStreamWriter(joints, columns, period_s)

    def message(self, command: Command, now_ns: int) -> JointTrajectory | None:
        """Return the rest of the motion, if it has changed in this tick."""
        if command.mode is ControlMode.HUMAN:
            return self._stream.message(command, now_ns)
        if command.plan is None:
            return None
        return self._trajectory(command.plan, now_ns)

    def _trajectory(self, plan: Plan, now_ns: int) -> JointTrajectory:
        rows = [(t, row) for t, row in zip(plan.times_ns, plan.rows, strict=True) if t > now_ns]
        rows = rows or [(now_ns + 1, plan.rows[-1])]  # the motion is over already: stay where it ends
        trajectory = JointTrajectory(
            joint_names=self._joints, points=[_point(row[self._columns], t - now_ns) for t, row in rows]
        )
        trajectory.header.stamp = to_stamp(now_ns)
        return trajectory


def make_writer(blocks: Sequence[ActionBlock], action: ActionSpec, tick_s: float) -> CommandWriter:
    """Choose the writer for the blocks that share a topic."""
    columns = [column for block in blocks for column in range(block.columns.start, block.columns.stop)]
    output, layout = blocks[0].output, ActionLayout(action)
    joints = [joint for block in blocks for joint in block.output.joints]
    if output.type == ARRAY:
        return ArrayWriter(columns)
    if output.type == POSE:
        return PoseWriter(blocks[0], layout)
    if output.type == TWIST:
        return TwistWriter(blocks[0], layout)
    assert output.type == TRAJECTORY  # the spec reader knows no other
    if output.mode == "chunk":
        return TrajectoryPlanWriter(joints, columns, tick_s)
    return TrajectoryStreamWriter(joints, columns, tick_s)


def _point(positions: Array, time_from_start_ns: int) -> JointTrajectoryPoint:
    return JointTrajectoryPoint(
        positions=to_float_array(positions),
        time_from_start=Duration(nanoseconds=time_from_start_ns).to_msg(),
    )
