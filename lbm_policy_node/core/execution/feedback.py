# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the robot is, in the terms of its action: what the executor compares commands with."""

import numpy as np

from lbm_policy_node.core.clock_guard import ClockGuard
from lbm_policy_node.core.observation.measured_stream import (
    CountPublishers,
    MeasuredStream,
    unknown_publishers,
)
from lbm_policy_node.core.observation.samples import LazySample, Sample, decoded
from lbm_policy_node.core.observation.selection import Selector
from lbm_policy_node.core.observation.stamps import ahead_text, too_old_text
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array


class FeedbackReader:
    """Keeps the newest sample of each feedback stream. Not thread-safe."""

    def __init__(self, spec: RobotSpec, publishers: CountPublishers = unknown_publishers) -> None:
        """Start with nothing known.

        Args:
            spec: Whose action.
            publishers: Counts the publishers of a topic, for the text when a stream is not believed.
        """
        self._spec = spec
        self._blocks = [
            (
                block.columns,
                block.feedback.stream,
                Selector(block.feedback, spec.streams[block.feedback.stream]),
            )
            for block in spec.action.blocks
            if block.feedback
        ]
        self._newest: dict[str, tuple[int, Sample | LazySample]] = {}
        self._ahead: dict[str, tuple[int, Sample | LazySample]] = {}
        self._last_ns: dict[str, int] = {}
        self._clock = ClockGuard()
        selections = [block.feedback for block in spec.action.blocks if block.feedback]
        self._streams = {
            stream.name: MeasuredStream(
                spec, stream, [s for s in selections if s.stream == stream.name], publishers
            )
            for stream in spec.feedback_streams
        }

    def push(self, stream: str, stamp_ns: int, value: Sample | LazySample, now_ns: int) -> None:
        """Add what arrived on one of spec.feedback_streams; an older stamp than the newest is ignored.

        A stamp ahead of the clock counts only until the next message, or until the clock has caught up.
        """
        self._watch_clock(now_ns)
        self._last_ns[stream] = stamp_ns
        self._ahead.pop(stream, None)
        if stamp_ns > now_ns + self._spec.max_skew_ns:
            self._ahead[stream] = (stamp_ns, value)
            return
        taken = self._streams[stream].take(stamp_ns, value, now_ns)
        if taken is None:
            return
        stamp_ns, value = taken
        if stream not in self._newest or stamp_ns >= self._newest[stream][0]:
            self._newest[stream] = (stamp_ns, value)

    def measured(self, now_ns: int) -> Array | Reason:
        """Return the measured action, shape (action_dim,), NaN in the columns that nothing measures.

        A stream that is missing, too old, malformed or not plausible yields FEEDBACK_MISSING with the cause.
        """
        self._watch_clock(now_ns)
        measured = np.full(self._spec.action_dim, np.nan)
        for columns, stream, selector in self._blocks:
            values = self._select(stream, selector, now_ns)
            if isinstance(values, Reason):
                return values
            measured[columns] = values
        return measured

    def _watch_clock(self, now_ns: int) -> None:
        if self._clock.jumped_back(now_ns):
            self._newest.clear()
            self._ahead.clear()

    def _select(self, stream: str, selector: Selector, now_ns: int) -> Array | Reason:
        if refused := self._still_ahead(stream, now_ns):
            return refused
        if doubt := self._streams[stream].doubt(now_ns):
            return Reason(ReasonCode.FEEDBACK_MISSING, doubt.text)
        if stream not in self._newest:
            return Reason(ReasonCode.FEEDBACK_MISSING, f"nothing has arrived on '{stream}'")
        stamp_ns, value = self._newest[stream]
        if text := too_old_text(self._spec.streams[stream], stamp_ns, now_ns):
            zero = too_old_text(self._spec.streams[stream], 0, now_ns)
            return Reason(ReasonCode.FEEDBACK_MISSING, text if self._last_ns[stream] else zero)
        values = selector.select(decoded(value))
        return Reason(ReasonCode.FEEDBACK_MISSING, values.text) if isinstance(values, Reason) else values

    def _still_ahead(self, stream: str, now_ns: int) -> Reason | None:
        if stream not in self._ahead:
            return None
        stamp_ns, value = self._ahead[stream]
        if text := ahead_text(stream, stamp_ns, now_ns, self._spec.max_skew_ns):
            return Reason(ReasonCode.FEEDBACK_MISSING, text)
        self.push(stream, stamp_ns, value, now_ns)  # the clock has caught up
        return None
