# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The detectors and how they join: each has its own thresholds, and the worst alarm counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.thresholds import STOP, TIME_LIMIT, WARN
from lbm_policy_node.monitors.progress.report import ProgressReport
from lbm_policy_node.monitors.verdict import Level

_BY_SEVERITY = ((STOP, Level.STOP), (WARN, Level.WARN))


@dataclass(frozen=True)
class Alarm:
    """One detector above a threshold."""

    level: Level
    detector: str
    text: str


def score_alarm(calibration: Calibration, statistic: float) -> Alarm | None:
    """Judge the running statistic of the score."""
    words = f"{calibration.statistic} of {calibration.score.name}"
    return _alarm(calibration, calibration.detector, statistic, words)


def elapsed_s(first: ActionChunk, chunk: ActionChunk) -> float:
    """Time of a chunk's observation since that of the episode's first chunk."""
    return (chunk.observation_stamp_ns - first.observation_stamp_ns) * 1e-9


def time_alarm(calibration: Calibration, elapsed_s: float) -> Alarm | None:
    """Judge the time since the episode's first chunk."""
    return _alarm(calibration, TIME_LIMIT, elapsed_s, "the time of the episode in s")


def progress_alarm(calibration: Calibration | None, report: ProgressReport) -> Alarm | None:
    """Judge a progress report: by its thresholds, or without them by its own verdict, which never stops."""
    if report.failed is None:
        return None
    detector = f"progress:{report.detector}"
    if calibration is not None and is_armed(calibration, detector):
        return _alarm(calibration, detector, report.score, f"{detector} ({report.text})")
    if report.failed:
        text = f"{detector} says the task fails: {report.text} (it is not calibrated, so it never stops)"
        return Alarm(Level.WARN, detector, text)
    return None


def is_armed(calibration: Calibration, detector: str) -> bool:
    """Whether a detector has a finite threshold at any level."""
    return any(level.threshold(detector) < float("inf") for level in calibration.levels.values())


def worst(alarms: Iterable[Alarm | None]) -> Alarm | None:
    """The worst alarm, of equals the first; its text names the others too."""
    present = [alarm for alarm in alarms if alarm is not None]
    if not present:
        return None
    chosen = max(present, key=lambda alarm: alarm.level)  # max keeps the first of equals
    others = [alarm.text for alarm in present if alarm is not chosen]
    return Alarm(chosen.level, chosen.detector, "; ".join([chosen.text, *others]))


def _alarm(calibration: Calibration, detector: str, value: float, words: str) -> Alarm | None:
    for name, level in _BY_SEVERITY:
        limit = calibration.levels[name].threshold(detector)
        if value > limit:
            return Alarm(
                level, detector, f"{words} is {value:.3g}, above the {name.upper()} threshold {limit:.3g}"
            )
    return None
