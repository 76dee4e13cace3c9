# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands to a joint trajectory controller: point by point, or a whole motion at once; and its stops.

The controller refuses a trajectory with a stamp whose last point lies before its own now, and then goes on
with the one before (ros2_controllers, validate_trajectory_msg). Stamp zero means "from now on", never late.
"""

from collections.abc import Sequence

from rclpy.duration import Duration
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.braking import Brake
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.types import Array

from ..conversion import to_float_array, to_stamp

LEAST_AHEAD_NS = 200_000_000
"""A stamped motion ends at least this long after now: it takes time to arrive, and clocks differ."""
LEAST_STOP_TICKS = 3
"""A stop lasts at least this many control ticks, in which the controller joins its motion to the stop."""
REPEAT_TICKS = 5
REPEAT_NS = 50_000_000
"""A stop is sent again after this many control ticks, or after REPEAT_NS if that is longer.

That is more than LEAST_STOP_TICKS, so that the controller completes a stop before it joins the next one."""


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

    def last_message(self, now_ns: int) -> None:
        """Return nothing: the controller holds the newest point."""


class TrajectoryPlanWriter:
    """JointTrajectory of the whole motion, once whenever it changes; positions only, stamped.

    Positions only suits the controller's upsampling mode. What the operator does next is not known, so the
    operator's commands are streamed, one point per tick. A stop has positions, velocities and no stamp, and
    is sent again and again until it is obeyed, from where it is by then.
    """

    message_type = JointTrajectory

    def __init__(self, joints: Sequence[str], columns: Sequence[int], period_s: float) -> None:
        """Take the columns of the joints."""
        self._joints, self._columns = list(joints), list(columns)
        self._stream = TrajectoryStreamWriter(joints, columns, period_s)
        tick_ns = round(period_s * 1e9)
        self._least_stop_ns = LEAST_STOP_TICKS * tick_ns
        self._repeat_ns = max(REPEAT_TICKS * tick_ns, REPEAT_NS)
        self._stop: Brake | None = None
        self._sent_ns = 0

    def message(self, command: Command, now_ns: int) -> JointTrajectory | None:
        """Return the rest of the motion if it has changed in this tick, or a stop if it is due."""
        before, self._stop = self._stop, command.stop
        if command.mode is ControlMode.HUMAN:
            return self._stream.message(command, now_ns)
        if command.stop is not None:
            due = command.stop is not before or not 0 <= now_ns - self._sent_ns < self._repeat_ns
            return self._stop_message(command.stop, now_ns) if due else None
        return None if command.plan is None else self._trajectory(command.plan, now_ns)

    def last_message(self, now_ns: int) -> JointTrajectory | None:
        """Return the stop that has not come to its end."""
        return None if self._stop is None else self._stop_message(self._stop, now_ns)

    def _stop_message(self, stop: Brake, now_ns: int) -> JointTrajectory:
        self._sent_ns = now_ns
        points = [
            _point(point.action[self._columns], point.after_ns, point.velocity[self._columns])
            for point in stop.rest_of(now_ns, self._least_stop_ns)
        ]
        return JointTrajectory(joint_names=self._joints, points=points)

    def _trajectory(self, plan: Plan, now_ns: int) -> JointTrajectory:
        due = [(t, row) for t, row in zip(plan.times_ns, plan.rows, strict=True) if t > now_ns]
        if plan.end_ns < now_ns + LEAST_AHEAD_NS:  # nearly over, or over already: stay where it ends
            due.append((now_ns + LEAST_AHEAD_NS, plan.rows[-1]))
        trajectory = JointTrajectory(
            joint_names=self._joints, points=[_point(row[self._columns], t - now_ns) for t, row in due]
        )
        trajectory.header.stamp = to_stamp(now_ns)
        return trajectory


def _point(
    positions: Array, time_from_start_ns: int, velocities: Array | None = None
) -> JointTrajectoryPoint:
    point = JointTrajectoryPoint(
        positions=to_float_array(positions),
        time_from_start=Duration(nanoseconds=time_from_start_ns).to_msg(),
    )
    if velocities is not None:
        point.velocities = to_float_array(velocities)
    return point
