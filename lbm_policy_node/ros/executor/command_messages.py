# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a command looks like to each kind of controller; one class per message type, no node."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from std_msgs.msg import Float64MultiArray

from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.rotations import quaternion_to_matrix, rotation_vector_between
from lbm_policy_node.core.spec.spec_actions import ARRAY, POSE, TRAJECTORY, TWIST, ActionBlock, ActionSpec
from lbm_policy_node.core.types import Array

from ..conversion import to_float_array, to_stamp
from .trajectory_messages import TrajectoryPlanWriter, TrajectoryStreamWriter

ZEROS_S = 0.5
"""Zero velocity is repeated for this long after the last command; the controller may lose one."""


class CommandWriter(Protocol):
    """Turns commands into messages of one topic; may remember the command before."""

    message_type: type

    def message(self, command: Command, now_ns: int) -> Any | None:
        """Return what to send in this tick, or None for nothing."""
        ...

    def last_message(self, now_ns: int) -> Any | None:
        """Return what must follow the newest message before this process goes quiet, or None for nothing."""
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

    def last_message(self, now_ns: int) -> None:
        """Return nothing: the controller holds the newest values."""


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

    def last_message(self, now_ns: int) -> None:
        """Return nothing: the controller holds the newest pose."""

    def _orientation(self, action: Array) -> Sequence[float] | Array:
        if self._rotation is not None:
            return self._rotation.read(action[self._rotation.columns])
        return self._block.output.orientation or (0.0, 0.0, 0.0, 1.0)


class TwistWriter:
    """TwistStamped: the velocity from one command to the next; zeros for a while when the commands end.

    Open loop: it carries the motion of the commands, not the distance to them.
    """

    message_type = TwistStamped

    def __init__(self, block: ActionBlock, layout: ActionLayout, period_s: float) -> None:
        """Take the block to send."""
        self._block = block
        self._n_zeros = max(1, round(ZEROS_S / period_s))
        self._zeros_left = 0
        self._rotation = next((r for r in layout.rotations if r.columns == block.rotation_columns), None)
        self._before: tuple[int, Array] | None = None

    def message(self, command: Command, now_ns: int) -> TwistStamped | None:
        """Return the velocity."""
        before, action = self._before, command.action
        self._before = None if action is None else (now_ns, action)
        if action is not None:
            self._zeros_left = self._n_zeros
        elif self._zeros_left == 0:
            return None
        else:
            self._zeros_left -= 1
        linear, angular = np.zeros(3), np.zeros(3)
        if action is not None and before is not None and now_ns > before[0]:
            linear, angular = self._velocity(before[1], action, (now_ns - before[0]) * 1e-9)
        return self._twist(linear, angular, now_ns)

    def last_message(self, now_ns: int) -> TwistStamped | None:
        """Return zero velocity, unless the controller has it already."""
        return self._twist(np.zeros(3), np.zeros(3), now_ns) if self._zeros_left else None

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
        return TwistWriter(blocks[0], layout, tick_s)
    assert output.type == TRAJECTORY  # the spec reader knows no other
    if output.mode == "chunk":
        return TrajectoryPlanWriter(joints, columns, tick_s)
    return TrajectoryStreamWriter(joints, columns, tick_s)
