# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a monitor is worth: every detector on the same stored samples, in one table of JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from lbm_policy_node.assessment.detection import flagged_before, peak
from lbm_policy_node.assessment.detectors import Alarm, Detector, Fitted, n_chunks
from lbm_policy_node.assessment.metrics import Share, auroc, rates
from lbm_policy_node.assessment.protocol import (
    BENIGN,
    CALIBRATION,
    ERRATIC,
    IN_DISTRIBUTION,
    PROGRESS,
    TRAINING,
)
from lbm_policy_node.assessment.scoring import EpisodeScores
from lbm_policy_node.core.types import Array

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class TestSet:
    """Episodes split into what detectors are calibrated on and what they are tested on.

    Attributes:
        calibration: Solved episodes of the calibration split.
        test: Every episode of the other splits but training, solved or not.
        mode: Whether solved episodes end with their success.
    """

    calibration: Sequence[EpisodeScores]
    test: Sequence[EpisodeScores]
    mode: str

    @classmethod
    def of(cls, episodes: Sequence[EpisodeScores], mode: str) -> TestSet:
        """Sort episodes by their split."""
        return cls(
            [e for e in episodes if e.split == CALIBRATION and e.success],
            [e for e in episodes if e.split not in (TRAINING, CALIBRATION)],
            mode,
        )

    @property
    def failed(self) -> Array:
        """Per test episode whether the task was not solved, bool."""
        return np.array([not e.success for e in self.test])

    @property
    def failures(self) -> list[EpisodeScores]:
        """The unsolved test episodes."""
        return [e for e in self.test if not e.success]

    def chosen(self, *splits: str, success: bool | None = None) -> list[EpisodeScores]:
        """Return the test episodes of some splits, solved or not if that is asked for."""
        return [e for e in self.test if e.split in splits and success in (None, e.success)]

    def median_success_chunks(self) -> dict[str, float]:
        """Per task the median number of chunks until success without a disturbance."""
        solved = self.chosen(IN_DISTRIBUTION, success=True)
        tasks = {e.task for e in solved}
        return {t: float(np.median([e.success_chunks for e in solved if e.task == t])) for t in tasks}

    def shortest(self) -> dict[str, int]:
        """Per task the number of chunks of the shortest test episode."""
        tasks = {e.task for e in self.test}
        return {t: min(n_chunks(e, self.mode) for e in self.test if e.task == t) for t in tasks}


def judge(detector: Detector, data: TestSet, alphas: Sequence[float]) -> Row:
    """Calibrate a detector and measure it; every rate is a count of a number."""
    fitted = detector.fitted(data.calibration, data.mode)
    row: Row = {"auroc": {cut: _aurocs(fitted, data, cut) for cut in ("end", "time_matched")}}
    row["at_alpha"] = {f"{alpha:g}": at_alpha(fitted.alarm(alpha), data) for alpha in alphas}
    return row


def at_alpha(alarm: Alarm, data: TestSet) -> Row:
    """Measure one threshold."""
    found = {e.episode_id: alarm(e) for e in data.test}
    alarmed = np.array([found[e.episode_id] is not None for e in data.test])
    counted = rates(alarmed, data.failed)
    disturbed = (ERRATIC, PROGRESS)
    groups = {
        "false_alarms_in_distribution": data.chosen(IN_DISTRIBUTION, success=True),
        "false_alarms_solved_though_disturbed": data.chosen(*disturbed, success=True),
        "false_alarms_benign": data.chosen(BENIGN, success=True),
        "flagged_in_distribution": data.chosen(IN_DISTRIBUTION, success=False),
        "flagged_erratic": data.chosen(ERRATIC, success=False),
        "flagged_progress": data.chosen(PROGRESS, success=False),
        "flagged_benign": data.chosen(BENIGN, success=False),
    }
    row: Row = {key: _share(group, found) for key, group in groups.items()}
    medians = data.median_success_chunks()
    failures = [e for e in data.failures if e.task in medians]
    savable = [e for e in data.failures if any(e.recoverable)]
    at = [found[e.episode_id] for e in data.failures]
    times = [a / e.chunks for a, e in zip(at, data.failures, strict=True) if a is not None]
    return row | {
        "tpr": counted.tpr,
        "tnr": counted.tnr,
        "balanced_accuracy": counted.balanced_accuracy,
        "flagged_before_median_success": _early(failures, found, [medians[e.task] for e in failures]),
        "flagged_while_recoverable": _early(savable, found, [last_recoverable(e) + 1 for e in savable]),
        "detection_time": float(np.mean(times)) if times else nan,
        "alarms": int(alarmed.sum()),
    }


def last_recoverable(episode: EpisodeScores) -> int:
    """Return the last chunk from which the expert could still finish a failed episode; -1 for none."""
    return max((i for i, possible in enumerate(episode.recoverable) if possible), default=-1)


def by_perturbation(alarm: Alarm, data: TestSet) -> dict[str, Row]:
    """Count per disturbance how many episodes failed, and how many raised an alarm."""
    rows: dict[str, Row] = {}
    for name in sorted({e.perturbation for e in data.test}):
        members = [e for e in data.test if e.perturbation == name]
        found = {e.episode_id: alarm(e) for e in members}
        rows[name or "none"] = {
            "kind": members[0].split,
            "episodes": len(members),
            "failed": sum(not e.success for e in members),
            "recoverable_at_start": sum(bool(e.recoverable and e.recoverable[0]) for e in members),
            "flagged": _share([e for e in members if not e.success], found),
            "false_alarms": _share([e for e in members if e.success], found),
        }
    return rows


def cut_peaks(fitted: Fitted, data: TestSet, cut: str) -> Array:
    """Return the largest value of each test episode's statistic up to a cut, shape (episodes,)."""
    if cut == "end":
        return np.array([peak(fitted.statistic(e), e.chunks) for e in data.test])
    limits = data.shortest()
    return np.array([peak(fitted.statistic(e), limits[e.task]) for e in data.test])


def task_mean_auroc(values: Array, failed: Array, tasks: Array) -> float:
    """Mean over tasks that have failures and successes."""
    each = [auroc(values[tasks == task], failed[tasks == task]) for task in np.unique(tasks)]
    defined = [area for area in each if not np.isnan(area)]
    return float(np.mean(defined)) if defined else nan


def _aurocs(fitted: Fitted, data: TestSet, cut: str) -> Row:
    values, tasks = cut_peaks(fitted, data, cut), np.array([e.task for e in data.test])
    return {
        "pooled": auroc(values, data.failed),
        "task_mean": task_mean_auroc(values, data.failed, tasks),
        "tasks": {str(t): auroc(values[tasks == t], data.failed[tasks == t]) for t in np.unique(tasks)},
    }


def _share(group: Sequence[EpisodeScores], found: Mapping[str, int | None]) -> Row:
    return _counted(Share(sum(found[e.episode_id] is not None for e in group), len(group)))


def _early(
    group: Sequence[EpisodeScores], found: Mapping[str, int | None], deadlines: Sequence[float]
) -> Row:
    return _counted(flagged_before([found[e.episode_id] for e in group], deadlines))


def _counted(share: Share) -> Row:
    low, high = share.interval()
    return {"count": share.count, "total": share.total, "rate": share.rate, "interval_95": [low, high]}
