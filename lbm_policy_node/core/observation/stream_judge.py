# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What gate and executor would say of each message of one stream: their own rules, for `lbm doctor`."""

from lbm_policy_node.core.observation.builder import size_problem
from lbm_policy_node.core.observation.measured_stream import MeasuredStream
from lbm_policy_node.core.observation.samples import LazySample, Sample, decoded
from lbm_policy_node.core.observation.selection import Selector
from lbm_policy_node.core.observation.stamps import ahead_text, too_old_text
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import StreamSpec


class StreamJudge:
    """Judges message after message. Not thread-safe."""

    def __init__(self, spec: RobotSpec, stream: StreamSpec) -> None:
        """Start with nothing heard."""
        self._spec, self._stream = spec, stream
        feedback = [block.feedback for block in spec.action.blocks if block.feedback]
        selections = [s for s in (*spec.state, *feedback) if s.stream == stream.name]
        self._selectors = [Selector(selection, stream) for selection in selections]
        self._images = [image for image in spec.images.values() if image.stream == stream.name]
        self._measured = MeasuredStream(spec, stream, selections)
        self._first_ns: int | None = None

    @property
    def incomplete(self) -> int:
        """How many messages held only some of the needed joints, or none."""
        return self._measured.incomplete

    def judge(self, stamp_ns: int, value: Sample | LazySample, now_ns: int) -> Reason:
        """Return why a message would be refused; OK when it would not.

        Images are judged by their header where that is enough to know their size.

        Args:
            stamp_ns: Header stamp.
            value: The message.
            now_ns: The ROS clock on arrival.
        """
        if text := ahead_text(self._stream.name, stamp_ns, now_ns, self._spec.max_skew_ns):
            return Reason(ReasonCode.OBSERVATION_SKEWED, text)
        if text := too_old_text(self._stream, stamp_ns, now_ns):
            return Reason(ReasonCode.OBSERVATION_STALE, text)
        if self._stream.is_image:
            return self._judge_image(value)
        self._first_ns = now_ns if self._first_ns is None else self._first_ns
        reason = self._judge_numbers(stamp_ns, value, now_ns)
        incomplete = reason.code == ReasonCode.OBSERVATION_WRONG_JOINTS
        begins = now_ns - self._first_ns <= self._stream.max_age_ns
        return OK if incomplete and begins else reason  # the other joints may be on their way

    def _judge_image(self, value: Sample | LazySample) -> Reason:
        for image in self._images:
            if not (reason := size_problem(image, value)).ok:
                return reason
        return OK

    def _judge_numbers(self, stamp_ns: int, value: Sample | LazySample, now_ns: int) -> Reason:
        taken = self._measured.take(stamp_ns, value, now_ns)
        if doubt := self._measured.doubt(now_ns):
            return doubt
        if taken is None:
            return OK
        for selector in self._selectors:
            values = selector.select(decoded(taken[1]))
            if isinstance(values, Reason):
                return values
        return OK
