# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the monitor node says about itself on /diagnostics: its last verdict, and how many of which level."""

from collections import Counter
from dataclasses import dataclass, field

from lbm_msgs.msg import MonitorVerdict

from lbm_policy_node.core.health import ERROR, OK, WARN, Health
from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.running.latency import LatencyStatistics

HEALTH = {
    Level.NORMAL: OK,
    Level.WARMING_UP: OK,
    Level.WARN: WARN,
    Level.UNCALIBRATED: WARN,
    Level.NOT_APPLICABLE: WARN,  # nothing is being watched: no all-clear
    Level.STOP: ERROR,
    Level.FAULT: ERROR,
}


@dataclass
class MonitorReport:
    """Counts of what was published since activation.

    Attributes:
        calibration_id: Which calibration is loaded; empty for none.
        last: The newest verdict.
        counts: Verdicts by level.
        cost: Duration of judging a chunk.
    """

    calibration_id: str = ""
    last: MonitorVerdict | None = None
    counts: Counter[Level] = field(default_factory=Counter)
    cost: LatencyStatistics = field(default_factory=LatencyStatistics)

    def add(self, verdict: MonitorVerdict) -> bool:
        """Take a verdict; returns whether its level differs from the one before."""
        changed = self.last is None or self.last.level != verdict.level
        self.last = verdict
        self.counts[Level(verdict.level)] += 1
        return changed

    def health(self) -> Health:
        """Condense for /diagnostics."""
        cost = self.cost.summary()
        values = {
            "calibration_id": self.calibration_id,
            **{level.name.lower(): self.counts[level] for level in Level},
            "cost_median_ms": cost.median_s * 1e3,
            "cost_p99_ms": cost.p99_s * 1e3,
        }
        if self.last is None:
            level = OK if self.calibration_id else WARN
            return Health(
                level, "no chunk has arrived" + ("" if self.calibration_id else "; UNCALIBRATED"), values
            )
        name = Level(self.last.level).name
        message = f"{name}: {self.last.text}" if self.last.text else name
        return Health(HEALTH[Level(self.last.level)], message, {**values, "chunk_id": self.last.chunk_id})
