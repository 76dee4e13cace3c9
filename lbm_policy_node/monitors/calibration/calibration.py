# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What calibration learned, and its file beside the checkpoint."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lbm_policy_node.core.spec.spec_reader import SpecError, SpecReader
from lbm_policy_node.monitors.calibration.thresholds import LEVELS, LevelThresholds, score_detector
from lbm_policy_node.monitors.layout import ChunkLayout
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.statistics import STATISTICS, Standardisation

FILE_NAME = "monitor.json"
"""Lies beside the checkpoint's weights; written by `lbm calibrate`."""
VERSION = 1
UNTIL = ("success", "end")


class CalibrationError(ValueError):
    """A calibration file cannot be used; the text names the file, the field and what was expected."""


@dataclass(frozen=True, kw_only=True)
class EpisodeCounts:
    """Which episodes a calibration is made of. Nothing is left out without its name.

    Attributes:
        used: Successful episodes behind the thresholds (n).
        until: "success": chunks after the success do not count; "end": they do.
        failed: Names of the episodes without success, which calibrate nothing.
        unusable: Name and reason of each successful episode that could not be used.
    """

    used: int
    until: str
    failed: tuple[str, ...] = ()
    unusable: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.used < 1 or self.until not in UNTIL:
            raise ValueError(f"{self.used} episodes until {self.until!r}: expected 1 or more until {UNTIL}")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Everything that turns a score into a level, for one checkpoint and one way of asking it.

    Attributes:
        layout: Which policy, and how it is asked.
        score: Which score, with the bandwidth floor that was learned.
        scale: Divisors of the compared values.
        max_overlap_steps: At most this many rows are compared, the earliest; None is all.
        statistic: One of monitors.statistics.STATISTICS.
        standardisation: Mean and spread of the score.
        levels: "warn" and "stop".
        episodes: What it is made of.
        source: Where the episodes are from.
        date: When, ISO 8601.

    Raises:
        ValueError: The parts do not fit together.
    """

    layout: ChunkLayout
    score: ScoreConfig
    scale: ActionScale
    max_overlap_steps: int | None
    statistic: str
    standardisation: Standardisation
    levels: Mapping[str, LevelThresholds]
    episodes: EpisodeCounts
    source: str
    date: str

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise ValueError(f"statistic is {self.statistic!r}, expected one of {STATISTICS}")
        if set(self.levels) != set(LEVELS):
            raise ValueError(f"levels are {sorted(self.levels)}, expected {list(LEVELS)}")
        for name, level in self.levels.items():
            if self.detector not in level.detectors:
                raise ValueError(f"level '{name}' lacks the detector '{self.detector}'")
        if self.max_overlap_steps is not None and self.max_overlap_steps < 1:
            raise ValueError(f"max_overlap_steps is {self.max_overlap_steps}, expected 1 or more, or none")

    @property
    def checkpoint_id(self) -> str:
        """Which weights."""
        return self.layout.checkpoint_id

    @property
    def n(self) -> int:
        """Episodes behind the thresholds."""
        return self.episodes.used

    @property
    def detector(self) -> str:
        """Name of the score's detector."""
        return score_detector(self.score.name)

    @cached_property
    def id(self) -> str:
        """First 16 hexadecimal digits of the content's SHA-256."""
        content = json.dumps(self.to_dict(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        layout = {**vars(self.layout), "action_names": list(self.layout.action_names)}
        layout["step_s"] = layout.pop("step_ns") / 1e9
        return {
            "version": VERSION,
            "date": self.date,
            "source": self.source,
            **layout,
            "score": self.score.to_dict(),
            "scale": self.scale.to_dict(),
            "max_overlap_steps": self.max_overlap_steps,
            "statistic": self.statistic,
            "standardisation": vars(self.standardisation),
            "levels": {name: self.levels[name].to_dict() for name in LEVELS},
            "episodes": {
                "used": self.episodes.used,
                "until": self.episodes.until,
                "failed": list(self.episodes.failed),
                "unusable": [list(entry) for entry in self.episodes.unusable],
            },
        }

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        content = {**self.to_dict(), "id": self.id}
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Read a file.

        Raises:
            CalibrationError: It is missing, truncated, changed by hand, of another version, or a field is
                missing or wrong; names file, field and expectation.
        """
        try:
            reader = SpecReader(str(path), "", _read_json(Path(path)))
            if reader.raw("version") != VERSION:
                raise reader.fail("version", f"expected {VERSION}; calibrate again with lbm calibrate")
            written = reader.text("id")
            calibration = _read(reader)
        except SpecError as error:
            raise CalibrationError(str(error)) from error
        except ValueError as error:
            raise CalibrationError(f"{path}: {error}") from error
        if calibration.id != written:
            raise CalibrationError(
                f"{path}: 'id' is {written}, but the content has {calibration.id}: it was changed after "
                "calibration; calibrate again with lbm calibrate"
            )
        return calibration


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CalibrationError(f"{path}: {error.strerror}; make it with lbm calibrate") from error
    except ValueError as error:  # also text that is not UTF-8
        raise ValueError(f"is no complete JSON ({error}); calibrate again with lbm calibrate") from error


def _read(reader: SpecReader) -> Calibration:
    standardisation, levels = reader.mapping("standardisation"), reader.mapping("levels")
    overlap = reader.raw("max_overlap_steps")
    if overlap is not None:
        overlap = reader.whole("max_overlap_steps")
    calibration = Calibration(
        layout=_read_layout(reader),
        score=_value(reader, "score", ScoreConfig.from_dict),
        scale=_value(reader, "scale", ActionScale.from_dict),
        max_overlap_steps=overlap,
        statistic=reader.choice("statistic", STATISTICS),
        standardisation=Standardisation(
            standardisation.number("mean"), standardisation.number("std", above=0.0)
        ),
        levels={name: LevelThresholds.read(levels.mapping(name)) for name in LEVELS},
        episodes=_read_episodes(reader.mapping("episodes")),
        source=reader.text("source"),
        date=reader.text("date"),
    )
    for section in (standardisation, levels, reader):
        section.close()
    return calibration


def _value(reader: SpecReader, key: str, parse: Any) -> Any:
    """Parse a mapping with the reader of the type that it describes."""
    try:
        return parse(reader.raw(key))
    except SpecError:
        raise
    except ValueError as error:
        raise reader.fail(key, str(error)) from error


def _read_layout(reader: SpecReader) -> ChunkLayout:
    execution_horizon = reader.raw("execution_horizon")
    if execution_horizon != 0:
        execution_horizon = reader.whole("execution_horizon")
    return ChunkLayout(
        checkpoint_id=reader.text("checkpoint_id"),
        n_samples=reader.whole("n_samples"),
        horizon=reader.whole("horizon"),
        execution_horizon=execution_horizon,
        step_ns=round(reader.number("step_s", above=0.0) * 1e9),
        action_names=reader.words("action_names"),
    )


def _read_episodes(reader: SpecReader) -> EpisodeCounts:
    failed, unusable = reader.raw("failed"), reader.raw("unusable")
    if not isinstance(failed, list) or not all(isinstance(name, str) for name in failed):
        raise reader.fail("failed", "expected a list of names")
    if not isinstance(unusable, list) or not all(_is_pair_of_texts(entry) for entry in unusable):
        raise reader.fail("unusable", "expected pairs of a name and a reason")
    counts = EpisodeCounts(
        used=reader.whole("used"),
        until=reader.choice("until", UNTIL),
        failed=tuple(failed),
        unusable=tuple((name, why) for name, why in unusable),
    )
    reader.close()
    return counts


def _is_pair_of_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
