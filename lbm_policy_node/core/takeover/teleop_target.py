# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a person wants the robot: twists are integrated, poses and leader joints count from the takeover."""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import quaternion_to_matrix, rotation_vector, turned
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.teleop_sources import LeaderSource, PoseSource, TeleopSource
from lbm_policy_node.core.takeover.teleop_checks import check_jump, check_sample, joint_position
from lbm_policy_node.core.takeover.teleop_samples import TeleopSample, TwistSample
from lbm_policy_node.core.types import Array

MAX_STEP_S = 0.1
"""The longest time that one tick integrates a twist over: after a stall the target does not leap."""


@dataclass(frozen=True, eq=False)
class _Stamped:
    sample: TeleopSample
    stamp_ns: int


class TeleopTarget:
    """The target of one source; takes the ROS clock, returns values, never raises.

    Samples are taken at all times, so that the clutch has its reference at the moment of takeover.
    """

    def __init__(self, spec: RobotSpec, limits: ActionLimits, source: TeleopSource) -> None:
        self._limits = limits
        self._source = source
        self._max_skew_ns = spec.max_skew_ns
        self._names = spec.action_names
        effector = [block for block in spec.action.blocks if block.is_cartesian]
        self._effector = None if isinstance(source, LeaderSource) else effector[0]
        self._newest: _Stamped | None = None
        self._reference: TeleopSample | None = None
        self._anchor: Array | None = None
        self._target: Array | None = None
        self._ticked_ns = 0

    def on_sample(self, sample: TeleopSample, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take one motion sample.

        Returns:
            None, or why it is not used: wrong kind, frame, joints, not finite, out of time, or a jump from
            the one before. The one before stays in use until it is stale, so a lasting jump ends in a pause.
        """
        if refused := check_sample(self._source, sample) or self._out_of_time(stamp_ns, now_ns):
            return refused
        before = self._newest
        if before and self._out_of_time(before.stamp_ns, now_ns) is None:
            if stamp_ns < before.stamp_ns:
                text = f"{self._source.name}: the sample is older than the one before"
                return Reason(ReasonCode.OBSERVATION_STALE, text)
            if jump := check_jump(self._source, before.sample, sample):
                return jump
        self._newest = _Stamped(sample, stamp_ns)
        return None

    def fault(self, now_ns: int) -> Reason | None:
        """Return why nothing can be followed now: no sample yet, or the newest is stale."""
        if self._newest is None:
            text = f"{self._source.name}: nothing usable has arrived on {self._source.topic}"
            return Reason(ReasonCode.OBSERVATION_MISSING, text)
        return self._out_of_time(self._newest.stamp_ns, now_ns)

    def leader_position(self, name: str) -> float:
        """Return where the leader's joint that moves a column is; NaN where there is none."""
        source, sample = self._source, self._newest.sample if self._newest else None
        if isinstance(source, LeaderSource) and isinstance(sample, JointSample) and name in source.names:
            return joint_position(sample, source.joints[source.names.index(name)])
        return float("nan")

    def take_over(self, now_ns: int, anchor: Array) -> None:
        """Begin at the command; relative sources count from their newest sample.

        Args:
            now_ns: The ROS clock.
            anchor: Where the command comes to rest if nothing is asked, normalised, shape (action_dim,).
        """
        self._anchor, self._target, self._ticked_ns = anchor, anchor, now_ns
        self._reference = self._newest.sample if self._newest else None

    def set_column(self, name: str, value: float) -> None:
        """Ask for a value of one column: the gripper."""
        if self._anchor is None or self._target is None:
            return
        column = self._names.index(name)
        self._target, self._anchor = self._target.copy(), self._anchor.copy()
        self._target[column] = self._anchor[column] = value

    def count_from(self, action: Array, columns: Array) -> None:
        """Count further motion from here, because the robot does not follow: the clutch takes hold anew.

        So nothing winds up, and a stick or a device that turns back acts at once. A source without a clutch
        has its target where it is, and turns back to where the command is first.

        Args:
            action: The command, shape (action_dim,).
            columns: Which of its columns are held back, bool, shape (action_dim,).
        """
        if self._target is None or self._newest is None:
            return
        self._anchor = self._target = np.where(columns, action, self._target)
        self._reference = self._newest.sample

    def at(self, now_ns: int) -> Array:
        """Return the target of this tick, inside the position limits, shape (action_dim,).

        Call it once per tick after take_over, while fault() is None.
        """
        assert self._target is not None and self._anchor is not None and self._newest is not None
        step_s = min(max((now_ns - self._ticked_ns) / 1e9, 0.0), MAX_STEP_S)
        self._ticked_ns, sample = now_ns, self._newest.sample
        if isinstance(sample, TwistSample):
            target = self._integrated(sample, step_s)
        elif isinstance(sample, PoseSample):
            target = self._posed(sample)
        else:
            target = self._joined(sample)
        self._target = self._limits.clamp(target, self._anchor)
        return self._target

    def check_start(self, now_ns: int) -> Reason | None:
        """Return whether the target, right after take_over, is too far off: an absolute pose elsewhere."""
        assert self._anchor is not None
        return self._limits.check_start(self._anchor, self.at(now_ns))

    def _integrated(self, twist: TwistSample, step_s: float) -> Array:
        """Return the target moved by a twist, no faster than the limits, so that it does not run ahead."""
        assert self._target is not None and self._effector is not None
        target, start = self._target.copy(), self._effector.start
        speeds = self._limits.velocity[np.isin(self._limits.moving, range(start, start + 3))]
        target[start : start + 3] += np.clip(twist.linear, -speeds, speeds) * step_s
        rate = float(np.linalg.norm(twist.angular))
        if rate > 0.0 and self._limits.layout.rotations:
            most = min(1.0, self._limits.rotation.velocity / rate)
            self._turn(target, target, twist.angular * (most * step_s))
        return target

    def _posed(self, pose: PoseSample) -> Array:
        assert self._anchor is not None and self._effector is not None
        assert isinstance(self._source, PoseSource) and isinstance(self._reference, PoseSample)
        target, start = self._anchor.copy(), self._effector.start
        orientation = pose.orientation / np.linalg.norm(pose.orientation)
        if not self._source.clutch:
            target[start : start + 3] = pose.position
            self._write(target, orientation)
            return target
        target[start : start + 3] += pose.position - self._reference.position
        first = self._reference.orientation / np.linalg.norm(self._reference.orientation)
        self._turn(target, self._anchor, quaternion_to_matrix(first) @ rotation_vector(first, orientation))
        return target

    def _joined(self, joints: JointSample) -> Array:
        assert self._anchor is not None
        assert isinstance(self._source, LeaderSource) and isinstance(self._reference, JointSample)
        target = self._anchor.copy()
        for joint, name in zip(self._source.joints, self._source.names, strict=True):
            column, position = self._names.index(name), joint_position(joints, joint)
            if self._source.clutch:
                position += self._anchor[column] - joint_position(self._reference, joint)
            target[column] = position
        return target

    def _turn(self, target: Array, start: Array, rotation: Array) -> None:
        """Turn the orientation of `start` by a rotation vector in the base frame into `target`."""
        for columns, read, write in self._limits.layout.rotations:
            quaternion = read(start[columns])
            target[columns] = write(turned(quaternion, quaternion_to_matrix(quaternion).T @ rotation))

    def _write(self, target: Array, orientation: Array) -> None:
        for columns, _, write in self._limits.layout.rotations:
            target[columns] = write(orientation)

    def _out_of_time(self, stamp_ns: int, now_ns: int) -> Reason | None:
        age_ns = now_ns - stamp_ns
        if -self._max_skew_ns <= age_ns <= self._source.max_age_ns:
            return None
        text = f"{self._source.name}: the motion on {self._source.topic} is {age_ns / 1e9:.3f} s old"
        return Reason(ReasonCode.OBSERVATION_STALE, f"{text}; limit {self._source.max_age_s:g} s")
