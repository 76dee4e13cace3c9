# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The two alarm levels: how much false alarm each detector may spend, and where its threshold lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbm_policy_node.core.spec.spec_reader import SpecReader, is_number

WARN, STOP = "warn", "stop"
LEVELS = (WARN, STOP)
TIME_LIMIT = "time_limit"


def score_detector(score: str) -> str:
    """Name of the detector that a score makes."""
    return f"score:{score}"


@dataclass(frozen=True)
class DetectorThreshold:
    """One detector at one level.

    Attributes:
        alpha: Largest probability of a false alarm per successful episode; 0 where it is not armed.
        rank: The threshold is this smallest of the calibration's episodes.
        threshold: Alarm above it; infinite where it is not armed.
        false_alarm_range: Where its false-alarm probability lies for 90 % of calibrations.
    """

    alpha: float
    rank: int
    threshold: float
    false_alarm_range: tuple[float, float]

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha < 1.0 or self.rank < 0 or math.isnan(self.threshold):
            raise ValueError(
                f"alpha {self.alpha}, rank {self.rank}, threshold {self.threshold} is no threshold"
            )

    @property
    def armed(self) -> bool:
        """Whether it can alarm."""
        return self.threshold < math.inf

    def to_dict(self) -> dict[str, Any]:
        """JSON values; null stands for an infinite threshold."""
        return {
            "alpha": self.alpha,
            "rank": self.rank,
            "threshold": self.threshold if self.armed else None,
            "false_alarm_range": list(self.false_alarm_range),
        }

    @classmethod
    def read(cls, reader: SpecReader) -> DetectorThreshold:
        """Read the JSON values.

        Raises:
            ValueError: Naming file, key and expectation.
        """
        value = reader.raw("threshold")
        if value is not None and not (is_number(value) and math.isfinite(value)):
            raise reader.fail("threshold", "expected a finite number, or null where it is not armed")
        alpha, rank = reader.number("alpha", above=-1e-12), reader.whole("rank")
        low, high = reader.numbers("false_alarm_range", 2)
        reader.close()
        if alpha >= 1.0:
            raise reader.fail("alpha", "expected a probability below 1")
        return cls(alpha, rank, math.inf if value is None else float(value), (low, high))


@dataclass(frozen=True)
class LevelThresholds:
    """One level.

    Attributes:
        alpha: Of all its detectors together.
        episodes_needed: Successes without which no detector of this level can be armed.
        detectors: By name: "score:<score>", "time_limit", "progress:<name>".
    """

    alpha: float
    episodes_needed: int
    detectors: Mapping[str, DetectorThreshold]

    @property
    def armed(self) -> bool:
        """Whether any detector can alarm."""
        return any(detector.armed for detector in self.detectors.values())

    def threshold(self, detector: str) -> float:
        """Of a detector; infinite where it is not armed or not part of the calibration."""
        return self.detectors[detector].threshold if detector in self.detectors else math.inf

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        detectors = {name: detector.to_dict() for name, detector in self.detectors.items()}
        return {"alpha": self.alpha, "episodes_needed": self.episodes_needed, "detectors": detectors}

    @classmethod
    def read(cls, reader: SpecReader) -> LevelThresholds:
        """Read the JSON values.

        Raises:
            ValueError: Naming file, key and expectation.
        """
        entries = reader.mapping("detectors")
        detectors = {name: DetectorThreshold.read(entries.mapping(name)) for name in entries.names()}
        level = cls(reader.number("alpha", above=0.0), reader.whole("episodes_needed"), detectors)
        reader.close()
        return level
