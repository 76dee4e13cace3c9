# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Merge overlapping chunks by time into one plan; what inference delay has made past is trimmed.

```
old plan      o---o---o---o---o---o---o---o
new chunk         r0--r1--r2--r3--r4--r5--r6--r7
                        ^ now: r0, r1 are past; the plan continues from the current command
plan                    c-----r3--r4--r5--r6--r7      (r2 is due too soon to be reached at the speed limit)
```

The plan always starts at the current command, so the commanded value never jumps; it joins the chunk at the
first row that can be reached within the speed limits; from there on it equals the merged rows at their times.
"""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.settings import setting
from lbm_policy_node.core.types import ActionChunk, Array

RECEDING_HORIZON = "receding_horizon"
TEMPORAL_ENSEMBLING = "temporal_ensembling"
LINEAR_BLEND = "linear_blend"
MAX_CHUNKS = 32
"""Of temporal ensembling: more than overlap at one inference per step with the usual horizons."""


@dataclass(frozen=True)
class ChunkBufferConfig:
    """How a new chunk is merged with what is planned already."""

    merge: str = setting(
        RECEDING_HORIZON,
        "What a new chunk does to the planned motion.",
        choices=(RECEDING_HORIZON, TEMPORAL_ENSEMBLING, LINEAR_BLEND),
    )
    ensembling_decay: float = setting(
        0.01, "Weights are exp(-decay * i), i = 0 the oldest chunk.", low=0.0, high=10.0
    )
    blend_s: float = setting(0.2, "Duration of the linear blend.", unit="s", low=0.0, high=5.0)


def ensembling_weights(count: int, decay: float) -> Array:
    """Return exp(-decay * i) with i = 0 for the oldest chunk (ACT, arXiv:2304.13705, algorithm 2)."""
    return np.exp(-decay * np.arange(count))


class ChunkBuffer:
    """The chunks that matter and the plan made of them."""

    def __init__(self, limits: ActionLimits, config: ChunkBufferConfig) -> None:
        """Start empty.

        Raises:
            ValueError: If the merge mode is unknown.
        """
        if config.merge not in (RECEDING_HORIZON, TEMPORAL_ENSEMBLING, LINEAR_BLEND):
            raise ValueError(f"unknown merge mode '{config.merge}'")
        self._limits = limits
        self._layout = limits.layout
        self._config = config
        self._chunks: list[Plan] = []
        self._newest: tuple[int, int] | None = None
        self.plan: Plan | None = None
        self.chunk_id = 0
        self.observation_stamp_ns = 0

    def clear(self) -> None:
        """Forget the plan and all chunks; an older chunk than the newest one stays refused."""
        self._chunks.clear()
        self.plan = None
        self.chunk_id = 0

    def restart(self) -> None:
        """Forget everything, also which chunk was the newest: the clock went back."""
        self.clear()
        self._newest = None

    def add(self, chunk: ActionChunk, rows: Array, now_ns: int, current: Array) -> Reason | None:
        """Merge a chunk into the plan.

        Args:
            chunk: Its times and identity.
            rows: Its normalised actions, within limits.
            now_ns: The ROS clock.
            current: The present command; NaN columns start at the chunk's own value.

        Returns:
            None, or why the chunk was refused; the plan is as before then.
        """
        order = (chunk.observation_stamp_ns, chunk.chunk_id)
        if self._newest is not None and order <= self._newest:
            text = f"chunk {chunk.chunk_id} is not newer than chunk {self._newest[1]}, which is in execution"
            return Reason(ReasonCode.CHUNK_STALE, text)
        if chunk.end_ns <= now_ns:
            late_s = (now_ns - chunk.end_ns) / 1e9
            return Reason(
                ReasonCode.CHUNK_PAST, f"the last row was due {late_s:.3f} s before the chunk arrived"
            )
        times = tuple(chunk.row_time_ns(row) for row in range(chunk.horizon))
        own = Plan(times, rows)
        merged = self._merged(own, now_ns)
        joined = self._joined(merged, now_ns, current)
        if isinstance(joined, Reason):
            return joined
        current_chunks = [c for c in self._chunks if c.end_ns > now_ns]
        self._chunks = [*current_chunks[-MAX_CHUNKS + 1 :], own]
        self.plan, self._newest = joined, order
        self.chunk_id, self.observation_stamp_ns = chunk.chunk_id, chunk.observation_stamp_ns
        return None

    def rejoin(self, now_ns: int, current: Array) -> Reason | None:
        """Let the plan start at another command: control begins, or something else has moved the robot."""
        if self.plan is None or self.plan.end_ns <= now_ns:
            return Reason(ReasonCode.NO_CHUNK, "there is no plan")
        joined = self._joined(self.plan.from_row(min(1, len(self.plan.times_ns) - 1)), now_ns, current)
        if isinstance(joined, Reason):
            return joined
        self.plan = joined
        return None

    def _merged(self, own: Plan, now_ns: int) -> Plan:
        if self._config.merge == TEMPORAL_ENSEMBLING:
            return Plan(
                own.times_ns, np.array([self._ensembled(own, i, now_ns) for i in range(len(own.times_ns))])
            )
        if self._config.merge == LINEAR_BLEND and self.plan is not None and self._config.blend_s > 0:
            old = self.plan
            return Plan(
                own.times_ns, np.array([self._blended(own, i, old, now_ns) for i in range(len(own.times_ns))])
            )
        return own

    def _ensembled(self, own: Plan, row: int, now_ns: int) -> Array:
        time_ns, newest = own.times_ns[row], own.rows[row]
        if time_ns <= now_ns:
            return newest
        covering = [c for c in self._chunks if c.times_ns[0] <= time_ns <= c.end_ns]
        candidates = np.array([*(c.at(self._layout, time_ns) for c in covering), newest])
        return self._layout.mean(
            candidates, ensembling_weights(len(candidates), self._config.ensembling_decay)
        )

    def _blended(self, own: Plan, row: int, old: Plan, now_ns: int) -> Array:
        time_ns, newest = own.times_ns[row], own.rows[row]
        weight = (time_ns - now_ns) / (self._config.blend_s * 1e9)
        if weight <= 0.0 or weight >= 1.0:
            return newest
        blended = self._layout.interpolate(old.at(self._layout, time_ns), newest, weight)
        blended[self._layout.held] = newest[self._layout.held]
        return blended

    def _joined(self, plan: Plan, now_ns: int, current: Array) -> Plan | Reason:
        due = sum(1 for time_ns in plan.times_ns if time_ns <= now_ns)
        present = plan.at(self._layout, now_ns)
        start = np.where(np.isnan(current), present, current)
        if due:
            start[self._layout.held] = present[self._layout.held]
        start = self._layout.normalised(start[None])[0]
        refused = self._limits.check_start(start, plan.rows[due])
        for row in range(due, len(plan.times_ns)) if refused is None else ():
            rest = plan.from_row(row)
            rows, times = np.concatenate((start[None], rest.rows)), (now_ns, *rest.times_ns)
            steps_s = np.diff(np.array(times)) / 1e9
            refused = self._limits.check_velocity(rows[:2], steps_s[:1])
            if refused is None:
                refused = self._limits.check_velocity(rows, steps_s)
                return refused or Plan(times, rows)
        return refused or Reason(ReasonCode.CHUNK_PAST, "no row is left")
