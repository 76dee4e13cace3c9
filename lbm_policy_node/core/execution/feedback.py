# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the robot is, in the terms of its action: what the executor compares commands with."""

import numpy as np

from lbm_policy_node.core.clock_guard import ClockGuard
from lbm_policy_node.core.observation.samples import LazySample, Sample, decoded
from lbm_policy_node.core.observation.selection import Selector
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array


class FeedbackReader:
    """Keeps the newest sample of each feedback stream. Not thread-safe."""

    def __init__(self, spec: RobotSpec) -> None:
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
        self._clock = ClockGuard()

    def push(self, stream: str, stamp_ns: int, value: Sample | LazySample, now_ns: int) -> None:
        """Add what arrived on one of spec.feedback_streams; an older stamp than the newest is ignored."""
        if self._clock.jumped_back(now_ns):
            self._newest.clear()
        if stream not in self._newest or stamp_ns >= self._newest[stream][0]:
            self._newest[stream] = (stamp_ns, value)

    def measured(self, now_ns: int) -> Array | Reason:
        """Return the measured action, shape (action_dim,), NaN in the columns that nothing measures.

        A stream that is missing, too old or malformed yields FEEDBACK_MISSING with the cause.
        """
        if self._clock.jumped_back(now_ns):
            self._newest.clear()
        measured = np.full(self._spec.action_dim, np.nan)
        for columns, stream, selector in self._blocks:
            values = self._select(stream, selector, now_ns)
            if isinstance(values, Reason):
                return values
            measured[columns] = values
        return measured

    def _select(self, stream: str, selector: Selector, now_ns: int) -> Array | Reason:
        if stream not in self._newest:
            return Reason(ReasonCode.FEEDBACK_MISSING, f"nothing has arrived on '{stream}'")
        stamp_ns, value = self._newest[stream]
        age_ns = now_ns - stamp_ns
        if not -self._spec.max_skew_ns <= age_ns <= self._spec.streams[stream].max_age_ns:
            return Reason(ReasonCode.FEEDBACK_MISSING, f"'{stream}' is {age_ns / 1e9:.3f} s old")
        values = selector.select(decoded(value))
        return Reason(ReasonCode.FEEDBACK_MISSING, values.text) if isinstance(values, Reason) else values
