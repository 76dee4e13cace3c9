# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The monitor's verdict at an instant of an episode, in finite numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lbm_policy_node.data.episodes.episode import Episode
from lbm_policy_node.data.episodes.episode_records import RecordedVerdict

NO_LEVEL = -1
NO_SCORE = -1.0


class StepVerdict(NamedTuple):
    """One row of the monitor's columns.

    Attributes:
        level: Of lbm_msgs/MonitorVerdict; NO_LEVEL when no chunk of then was judged.
        score, statistic: Of the verdict; NO_SCORE where `valid` is false.
        valid: Both are finite numbers of the monitor.
    """

    level: int
    score: float
    statistic: float
    valid: bool


class VerdictTimeline:
    """A verdict counts from its chunk's observation on, until the chunk ends or a newer one is judged."""

    def __init__(self, episode: Episode) -> None:
        self._verdicts = sorted(episode.verdicts, key=lambda verdict: verdict.stamp_ns)
        self._stamps = np.array([verdict.stamp_ns for verdict in self._verdicts], np.int64)
        self._ends = {recorded.chunk.chunk_id: recorded.chunk.end_ns for recorded in episode.chunks}

    def at(self, time_ns: int) -> StepVerdict:
        """Return what counts at an observation's stamp."""
        at = int(np.searchsorted(self._stamps, time_ns, side="right")) - 1
        if at < 0 or time_ns > self._ends.get(self._verdicts[at].chunk_id, 0):
            return StepVerdict(NO_LEVEL, NO_SCORE, NO_SCORE, False)
        return _row(self._verdicts[at])


def _row(verdict: RecordedVerdict) -> StepVerdict:
    with np.errstate(over="ignore"):
        score, statistic = float(np.float32(verdict.score)), float(np.float32(verdict.statistic))
    if math.isfinite(score) and math.isfinite(statistic):
        return StepVerdict(verdict.level, score, statistic, True)
    return StepVerdict(verdict.level, NO_SCORE, NO_SCORE, False)
