# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The verdict of the score alone, and how it is joined with the alarms."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lbm_policy_node.monitors.alarms import Alarm
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.thresholds import LEVELS
from lbm_policy_node.monitors.episode_state import EpisodeState
from lbm_policy_node.monitors.verdict import Level

NAN = float("nan")


@dataclass(frozen=True)
class Judgement:
    """The score's part of a verdict; see there for the numbers."""

    level: Level
    text: str
    score: float = NAN
    statistic: float = NAN
    overlap_steps: int = 0


def downgrade(judged: Judgement, calibration: Calibration | None, episode: EpisodeState) -> Judgement:
    """Lower a level that the calibration or the episode does not support, and say what is missing."""
    if calibration is None:
        return replace(
            judged, level=Level.UNCALIBRATED, text="there is no calibration; lbm calibrate makes one"
        )
    missing = [text for name in LEVELS if (text := _missing(calibration, name))]
    if len(missing) == len(LEVELS):
        return replace(judged, level=Level.UNCALIBRATED, text="; ".join([judged.text, *missing]))
    if judged.level is Level.NORMAL and episode.midway:
        text = f"{judged.text}, but {episode.began}: no all-clear before the next episode"
        judged = replace(judged, level=Level.WARMING_UP, text=text)
    silent = [f"progress:{r.detector}: {r.text}" for r in episode.progress.values() if r.failed is None]
    return replace(judged, text="; ".join([judged.text, *missing, *silent]))


def _missing(calibration: Calibration, name: str) -> str:
    """Say that a level is not armed for the score; empty when it is."""
    level = calibration.levels[name]
    if level.threshold(calibration.detector) < math.inf:
        return ""
    return f"{name.upper()} is not armed: {calibration.n} successes, {level.episodes_needed} are needed"


def decide(stopped: Alarm | None, alarm: Alarm | None, judged: Judgement) -> tuple[Level, str, str]:
    """Join: a STOP stays, else the worst alarm counts, else what the score says.

    Returns:
        Level, detector and text.
    """
    quiet = judged.level in (Level.NORMAL, Level.WARMING_UP)
    rest = "" if quiet else f"; {judged.level.name}: {judged.text}"
    if stopped is not None:
        if alarm is None or alarm.level is not Level.STOP:
            return Level.STOP, stopped.detector, f"STOP stays until the next episode: {stopped.text}{rest}"
        return Level.STOP, stopped.detector, alarm.text + rest
    if alarm is not None:
        return alarm.level, alarm.detector, alarm.text + rest
    return judged.level, "", judged.text
