# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the monitor says after one chunk."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How serious it is; the numbers are those of MonitorVerdict.msg. Only NORMAL is an all-clear."""

    NOT_APPLICABLE = 0
    """The score says nothing here: a deterministic policy, or chunks without samples."""
    WARMING_UP = 1
    """Nothing to compare with yet, or the monitor joined in the middle of an episode."""
    NORMAL = 2
    """No detector is above a threshold."""
    WARN = 3
    """Above the first threshold: the operator should look."""
    STOP = 4
    """Above the second; stays until the next episode."""
    UNCALIBRATED = 5
    """There is no threshold, or the calibration belongs to another policy."""
    FAULT = 6
    """The chunk cannot be judged: non-finite samples, no overlap, out of order."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The judgement of one chunk. The numbers are always those of the score, whichever detector spoke.

    Attributes:
        stamp_ns: Observation stamp of the judged chunk.
        chunk_id: The judged chunk.
        level: How worried to be.
        detector: Which detector gave a WARN or STOP ("score:mmd_floored", "time_limit", "progress:vlm");
            empty for other levels.
        score: This chunk's disagreement with the one before; NaN for none.
        statistic: What is compared with the thresholds; NaN for none.
        warn_threshold: Of the statistic; infinite when not armed, NaN without a calibration that fits.
        stop_threshold: As warn_threshold.
        overlap_steps: Rows that were compared; 0 for none.
        n_samples: Samples of this chunk.
        calibration_id: Which calibration gave the thresholds; empty for none.
        text: Why, in words; never empty.

    Raises:
        ValueError: A WARN or STOP without a detector, or any verdict without a text.
    """

    stamp_ns: int
    chunk_id: int
    level: Level
    text: str
    detector: str = ""
    score: float = float("nan")
    statistic: float = float("nan")
    warn_threshold: float = float("nan")
    stop_threshold: float = float("nan")
    overlap_steps: int = 0
    n_samples: int = 0
    calibration_id: str = ""

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError(f"a verdict of level {self.level.name} needs a text that says why")
        if (self.level in (Level.WARN, Level.STOP)) != bool(self.detector):
            raise ValueError(f"detector is {self.detector!r} at level {self.level.name}")
