# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The plan made of the accepted chunks, or why there is none."""

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.merging import ChunkBuffer, ChunkBufferConfig
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array

NO_CHUNK = Reason(ReasonCode.NO_CHUNK, "no chunk has arrived")


class ChunkPlan:
    """Checks chunks whole, merges them, and says whether there is something to execute; never raises."""

    def __init__(
        self, spec: RobotSpec, limits: ActionLimits, config: ChunkBufferConfig, max_age_s: float
    ) -> None:
        """Start empty.

        Args:
            spec: Whose actions.
            limits: Of the same.
            config: How chunks are merged.
            max_age_s: Age of a chunk's observation after which it is not executed further.
        """
        self._spec, self._limits = spec, limits
        self._max_age_s = max_age_s
        self._buffer = ChunkBuffer(limits, config)
        self._refused: Reason | None = None
        self._no_plan = NO_CHUNK
        self._since_ns: int | None = None

    @property
    def plan(self) -> Plan | None:
        """What is planned."""
        return self._buffer.plan

    @property
    def chunk_id(self) -> int:
        """The newest chunk in the plan; 0 for none."""
        return self._buffer.chunk_id

    def proposed(self, now_ns: int) -> Array | None:
        """Return what the plan asks for now, shape (action_dim,)."""
        return self.plan.at(self._limits.layout, now_ns) if self.plan else None

    def take(self, chunk: ActionChunk, now_ns: int, current: Array) -> Reason | None:
        """Merge a chunk into the plan, which starts at the current command.

        Returns:
            None, or why the whole chunk was refused; the plan before it stays valid until its end.
        """
        refused = self._take(chunk, now_ns, current)
        self._refused = None
        if refused:
            self.refuse(refused)
        return refused

    def watch(self, chunk: ActionChunk, now_ns: int) -> Reason | None:
        """Take a chunk only to publish it: unchanged, joined neither to a command nor to another chunk."""
        self._buffer.clear()
        return self.take(chunk, now_ns, np.full(self._spec.action_dim, np.nan))

    def refuse(self, reason: Reason) -> None:
        """Remember why a chunk cannot be used, to say so when the plan ends."""
        self._refused = reason
        if self.plan is None:
            self._no_plan = reason

    def state(self, now_ns: int) -> Reason:
        """Return OK while there is something to execute, else why not; drops a plan that is used up."""
        stamp_ns = self._buffer.observation_stamp_ns
        if self.plan is None:
            return self._no_plan
        if now_ns <= self.plan.end_ns and now_ns - stamp_ns <= self._max_age_ns:
            return OK
        age_s = (now_ns - stamp_ns) / 1e9
        text = f"chunk {self.chunk_id} is used up; its observation is {age_s:.3f} s old"
        self.drop(self._refused or Reason(ReasonCode.CHUNK_STALE, text))
        return self._no_plan

    def rejoin(self, now_ns: int, current: Array) -> Reason | None:
        """Begin to execute at the current command; returns why that is refused, which drops the plan."""
        refused = self._buffer.rejoin(now_ns, current)
        if refused:
            self.drop(refused)
        return refused

    def drop(self, why: Reason) -> None:
        """Forget the plan."""
        self._buffer.clear()
        self._no_plan = why

    def begin(self, now_ns: int) -> None:
        """Forget the plan, and refuse chunks of earlier observations: the operator has moved the robot."""
        text = "no chunk has arrived since the hand-back"
        self.drop(Reason(ReasonCode.NO_CHUNK, text))
        self._refused, self._since_ns = None, now_ns

    def restart(self, why: Reason) -> None:
        """Forget everything, times too: the clock went back."""
        self._buffer.restart()
        self._refused, self._since_ns, self._no_plan = None, None, why

    def _take(self, chunk: ActionChunk, now_ns: int, current: Array) -> Reason | None:
        if chunk.action_names != self._spec.action_names:
            text = f"the chunk has {list(chunk.action_names)}, the spec {list(self._spec.action_names)}"
            return Reason(ReasonCode.CHUNK_WRONG_LAYOUT, text)
        age_ns = now_ns - chunk.observation_stamp_ns
        if not -self._spec.max_skew_ns <= age_ns <= self._max_age_ns:
            text = f"chunk {chunk.chunk_id} was made from an observation {age_ns / 1e9:.3f} s old"
            return Reason(ReasonCode.CHUNK_STALE, f"{text}; limit {self._max_age_s:g} s")
        if self._since_ns is not None and chunk.observation_stamp_ns < self._since_ns:
            text = f"chunk {chunk.chunk_id} was made from an observation before the hand-back"
            return Reason(ReasonCode.CHUNK_STALE, text)
        rows = self._limits.layout.normalised(chunk.actions)
        if refused := self._limits.check_rows(rows, chunk.step_ns / 1e9):
            return refused
        return self._buffer.add(chunk, rows, now_ns, current)

    @property
    def _max_age_ns(self) -> int:
        return round(self._max_age_s * 1e9)
