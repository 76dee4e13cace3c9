# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When the next inference is due, in times of observation stamps (no ROS here).

::

    chunk_end   |obs k, chunk of `replan_steps` executed rows|obs k+1, ...
    continuous  |obs, inference|obs, inference|             as fast as the policy answers
    fixed_rate  |obs    period |obs    period |             whatever the chunk length
"""

from dataclasses import dataclass
from enum import Enum

JITTER_STEPS = 0.1
"""A camera stamp this much of a step early still counts as on time; else a stamp a microsecond short of the
due time would wait for the next image, and a whole image interval would be lost now and then."""


class Mode(str, Enum):
    """How the next inference is timed."""

    CHUNK_END = "chunk_end"
    CONTINUOUS = "continuous"
    FIXED_RATE = "fixed_rate"


@dataclass(frozen=True)
class Schedule:
    """Decides whether an observation is due.

    Attributes:
        mode: See the module.
        step_ns: Time between action rows.
        replan_steps: Rows that a chunk executes before the next one takes over (``chunk_end``).
        period_ns: Time between inferences (``fixed_rate``).
    """

    mode: Mode
    step_ns: int
    replan_steps: int
    period_ns: int

    @property
    def interval_ns(self) -> int:
        """Observation stamp to the next observation stamp; 1 when any newer observation is due."""
        if self.mode is Mode.CHUNK_END:
            return self.replan_steps * self.step_ns
        return self.period_ns if self.mode is Mode.FIXED_RATE else 1

    @property
    def execution_horizon(self) -> int:
        """Rows executed before the next chunk takes over; 0 where that depends on how fast the policy is."""
        if self.mode is Mode.CHUNK_END:
            return self.replan_steps
        return round(self.period_ns / self.step_ns) if self.mode is Mode.FIXED_RATE else 0

    def due(self, stamp_ns: int, previous_stamp_ns: int | None) -> bool:
        """Whether an observation of this stamp should be inferred, given the one before (None: the first)."""
        if previous_stamp_ns is None:
            return True
        early_ns = 0 if self.mode is Mode.CONTINUOUS else round(JITTER_STEPS * self.step_ns)
        return stamp_ns - previous_stamp_ns >= max(self.interval_ns - early_ns, 1)
