# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for ros2_control's JointTrajectoryController, written from its documented behaviour.

Source: the user documentation of joint_trajectory_controller (interpolation of trajectories, preemption
policy, parameters) and the rules of validate_trajectory_msg. What it does not model: tolerances, partial
joint goals, accelerations and quintic segments, and the robot behind it, which follows at once.
"""

from typing import Any

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.messages.stamps import to_ns


class JointTrajectoryController:
    """Takes JointTrajectory messages and yields the desired state at an instant of its own clock.

    Attributes:
        refused: Why each message that was not accepted was refused.
        n_accepted: How many messages were accepted.
    """

    def __init__(
        self, joints: list[str], positions: Array, *, allow_nonzero_velocity_at_trajectory_end: bool = False
    ) -> None:
        """Hold these positions."""
        self._joints = joints
        self._moving_end_allowed = allow_nonzero_velocity_at_trajectory_end
        self._times_ns = np.array([0], dtype=np.int64)
        self._positions = np.array([positions], dtype=np.float64)
        self._velocities = np.zeros_like(self._positions)
        self._has_velocity = [True]
        self.refused: list[str] = []
        self.n_accepted = 0

    def receive(self, trajectory: Any, now_ns: int) -> bool:
        """Replace what is being executed, from its present state on; or refuse and go on with it."""
        refusal = self._refusal(trajectory, now_ns)
        if refusal:
            self.refused.append(refusal)
            return False
        start_ns = to_ns(trajectory.header.stamp) or now_ns
        position, velocity = self.state(now_ns)
        order = [trajectory.joint_names.index(joint) for joint in self._joints]
        points = trajectory.points
        times = [start_ns + to_ns(point.time_from_start) for point in points]
        still = np.zeros(len(self._joints))
        self._times_ns = np.array([min(now_ns, times[0]), *times], dtype=np.int64)
        self._positions = np.array([position, *(np.array(p.positions)[order] for p in points)])
        given = [np.array(p.velocities)[order] if p.velocities else still for p in points]
        self._velocities = np.array([velocity, *given])
        self._has_velocity = [True, *(bool(p.velocities) for p in points)]
        self.n_accepted += 1
        return True

    def state(self, now_ns: int) -> tuple[Array, Array]:
        """Return desired positions and velocities: linear between positions, cubic between velocities."""
        after = int(np.searchsorted(self._times_ns, now_ns, side="right"))
        if after == len(self._times_ns):
            return self._positions[-1], np.zeros(len(self._joints))
        if after == 0:
            return self._positions[0], np.zeros(len(self._joints))
        span_s = (self._times_ns[after] - self._times_ns[after - 1]) * 1e-9
        s = (now_ns - self._times_ns[after - 1]) * 1e-9 / span_s
        p0, p1 = self._positions[after - 1 : after + 1]
        if not (self._has_velocity[after - 1] and self._has_velocity[after]):
            return p0 + s * (p1 - p0), (p1 - p0) / span_s
        v0, v1 = self._velocities[after - 1 : after + 1] * span_s
        c2, c3 = 3 * (p1 - p0) - 2 * v0 - v1, 2 * (p0 - p1) + v0 + v1
        return p0 + s * (v0 + s * (c2 + s * c3)), (v0 + s * (2 * c2 + 3 * s * c3)) / span_s

    def _refusal(self, trajectory: Any, now_ns: int) -> str:
        points = trajectory.points
        if not points:
            return "empty trajectory"
        if sorted(trajectory.joint_names) != sorted(self._joints):
            return f"joints {trajectory.joint_names}"
        stamp_ns, last_ns = to_ns(trajectory.header.stamp), to_ns(points[-1].time_from_start)
        if stamp_ns != 0 and stamp_ns + last_ns < now_ns:
            return f"ends {(now_ns - stamp_ns - last_ns) * 1e-6:.3f} ms in the past"
        if not self._moving_end_allowed and np.any(np.abs(points[-1].velocities) > 1e-7):
            return "velocity at the last point is not zero"
        before_ns = -1
        for index, point in enumerate(points):
            if len(point.positions) != len(self._joints):
                return f"point {index} has {len(point.positions)} positions"
            if point.velocities and len(point.velocities) != len(self._joints):
                return f"point {index} has {len(point.velocities)} velocities"
            if to_ns(point.time_from_start) <= before_ns:
                return f"point {index} is not later than the one before"
            before_ns = to_ns(point.time_from_start)
        return ""
