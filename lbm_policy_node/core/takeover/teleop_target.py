# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the operator moves the robot: the newest usable sample of one source, and the target that follows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.teleop_kind import TargetStep, TeleopRobot
from lbm_policy_node.core.takeover.teleop_kinds import teleop_kind
from lbm_policy_node.core.types import Array

MAX_STEP_S = 0.1
"""The longest time that one tick integrates a twist over: after a stall the target does not leap."""


@dataclass(frozen=True, eq=False)
class _Stamped:
    sample: Any
    stamp_ns: int


class TeleopTarget:
    """The target of one source; takes the ROS clock, returns values, never raises.

    Samples are taken at all times, so that the clutch has its reference at the moment of takeover. What a
    sample means is up to the source's kind: see teleop_kind.TeleopKind.
    """

    def __init__(self, spec: RobotSpec, limits: ActionLimits, source: TeleopSource) -> None:
        self._limits = limits
        self._source = source
        self._kind = teleop_kind(source.kind)
        self._robot = TeleopRobot(spec.action, spec.limits, spec.base_frame)
        self._max_skew_ns = spec.max_skew_ns
        self._newest: _Stamped | None = None
        self._reference: Any = None
        self._anchor: Array | None = None
        self._target: Array | None = None
        self._ticked_ns = 0
        self._failed: Reason | None = None
        self._lapsed: Reason | None = None

    def on_sample(self, sample: object, stamp_ns: int, now_ns: int) -> Reason | None:
        """Take one motion sample.

        Returns:
            None, or why it is not used: wrong kind, refused by the kind's checks, out of time, or a jump from
            the one before. The one before stays in use until it is stale, so a lasting jump ends in a pause.
        """
        if refused := self._check_sample(sample) or self._out_of_time(stamp_ns, now_ns):
            return refused
        before = self._newest
        lapsed = self._out_of_time(before.stamp_ns, now_ns) if before else None
        if before and lapsed is None and (refused := self._check_order(before, sample, stamp_ns)):
            return refused
        known = before.sample if before and lapsed is None else None
        continued = self._kind.continued(self._source, known, sample)
        if isinstance(continued, Reason):
            return continued
        self._newest = _Stamped(continued, stamp_ns)
        self._lapsed = self._lapsed or lapsed
        return None

    def fault(self, now_ns: int) -> Reason | None:
        """Return why nothing can be followed: no sample yet, a stale one, or (reported once) no target."""
        if self._newest is None:
            text = f"{self._source.name}: nothing usable has arrived on {self._source.topic}"
            return Reason(ReasonCode.OBSERVATION_MISSING, text)
        failed, self._failed = self._failed, None
        return failed or self._out_of_time(self._newest.stamp_ns, now_ns)

    @property
    def lapsed(self) -> Reason | None:
        """Why the samples since take_over cannot be followed on: there was a pause, though it is over."""
        return self._lapsed

    def complaint(self, now_ns: int) -> str:
        """Return what the operator must do about the device, as the kind says it; empty for nothing."""
        if self._newest is None or self._out_of_time(self._newest.stamp_ns, now_ns):
            return ""
        return self._kind.complaint(self._source, self._newest.sample)

    def device_position(self, name: str) -> float:
        """Return where the device itself is for a column, as a leader's joint; NaN where it has none."""
        if self._newest is None:
            return float("nan")
        return self._kind.device_position(self._source, self._newest.sample, name)

    def take_over(self, now_ns: int, anchor: Array) -> None:
        """Begin at the command; a clutch counts from the newest sample.

        Args:
            now_ns: The ROS clock.
            anchor: Where the command comes to rest without a target, normalised, shape (action_dim,).
        """
        self._anchor, self._target, self._ticked_ns = anchor, anchor, now_ns
        self._reference = self._newest.sample if self._newest else None
        self._lapsed = None

    def set_column(self, name: str, value: float) -> None:
        """Set the target of one column: the gripper."""
        if self._anchor is None or self._target is None:
            return
        column = self._robot.action.names.index(name)
        self._target, self._anchor = self._target.copy(), self._anchor.copy()
        self._target[column] = self._anchor[column] = value

    def count_from(self, action: Array, columns: Array) -> None:
        """Count further motion from here, because the robot does not follow: the clutch takes hold again.

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
        self._ticked_ns = now_ns
        step = TargetStep(
            sample=self._newest.sample,
            reference=self._reference,
            anchor=self._anchor,
            previous=self._target,
            duration_s=step_s,
            robot=self._robot,
        )
        target = self._kind.target(self._source, step)
        if isinstance(target, Reason):
            self._failed = target
            return self._target
        self._target = self._limits.clamp(target, self._anchor)
        return self._target

    def check_start(self, now_ns: int) -> Reason | None:
        """Return whether the target, right after take_over, is too far off: an absolute pose elsewhere."""
        assert self._anchor is not None
        target = self.at(now_ns)
        return self._failed or self._limits.check_start(self._anchor, target)

    def _check_order(self, before: _Stamped, sample: object, stamp_ns: int) -> Reason | None:
        """Check that a sample is not older than the one before, and no jump from it."""
        if stamp_ns < before.stamp_ns:
            text = f"{self._source.name}: the sample is older than the one before"
            return Reason(ReasonCode.OBSERVATION_STALE, text)
        return self._kind.check_jump(self._source, before.sample, sample)

    def _check_sample(self, sample: object) -> Reason | None:
        if isinstance(sample, self._kind.sample_type):
            return self._kind.check_sample(self._source, sample)
        text = f"{self._source.name}: a {type(sample).__name__} does not fit a source of type"
        return Reason(ReasonCode.REQUEST_INVALID, f"{text} {self._source.type}")

    def _out_of_time(self, stamp_ns: int, now_ns: int) -> Reason | None:
        age_ns = now_ns - stamp_ns
        if -self._max_skew_ns <= age_ns <= self._source.max_age_ns:
            return None
        text = f"{self._source.name}: the motion on {self._source.topic} is {age_ns / 1e9:.3f} s old"
        return Reason(ReasonCode.OBSERVATION_STALE, f"{text}; limit {self._source.max_age_s:g} s")
