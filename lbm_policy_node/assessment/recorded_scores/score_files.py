# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads recorded scores: one CSV file per task, one row per replan. Strict: a silent gap would move time."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode

FIXED = ("episode_id", "success")
TIME = ("replan", "step")
SUCCESS = {"0": False, "1": True, "false": False, "true": True}


class ScoreFileError(ValueError):
    """A score file is not as expected; the text names the file, the line and the column."""


def read_scores(path: Path) -> dict[str, tuple[ScoredEpisode, ...]]:
    """Read one task's scores.

    The columns are `episode_id`, `success` (0 or 1, the same in all rows of an episode), `replan` (0, 1, 2,
    ... in each episode) or `step` (rising), and any number of scores, larger being less consistent. The rows
    of an episode stand together. Its first row has no predecessor: its score may be empty and is not used.

    Args:
        path: The CSV file; its name without the ending is the task.

    Returns:
        Per score column the episodes in file order.

    Raises:
        ScoreFileError: Naming file, line and column of what is wrong.
    """
    lines = _lines(path)
    if not lines:
        raise ScoreFileError(
            f"{path} is empty, expected a header with episode_id, success, replan and scores"
        )
    header = _Header(path, tuple(name.strip() for name in lines[0][1]))
    if len(lines) == 1:
        raise ScoreFileError(f"{path} has a header and no rows")
    episodes: dict[str, list[_Row]] = {}
    previous: _Row | None = None
    for number, cells in lines[1:]:
        row = header.row(number, cells)
        continues = previous is not None and previous.episode_id == row.episode_id
        if not continues and row.episode_id in episodes:
            raise row.error("episode_id", row.episode_id, "the rows of an episode to stand together")
        row.check_place(previous if continues else None)
        episodes.setdefault(row.episode_id, []).append(row)
        previous = row
    return {column: _episodes(path.stem, column, episodes) for column in header.scores}


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that is not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            return [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScoreFileError(f"{path} cannot be read as CSV: {error}") from error


def _episodes(task: str, column: str, episodes: dict[str, list[_Row]]) -> tuple[ScoredEpisode, ...]:
    return tuple(
        ScoredEpisode(
            name,
            task,
            rows[0].success,
            np.array([row.score(column, row is rows[0]) for row in rows]),
            score=column,
        )
        for name, rows in episodes.items()
    )


@dataclass(frozen=True)
class _Header:
    """The names of the columns."""

    path: Path
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        where = f"{self.path}, line 1: the columns are {list(self.names)}"
        missing = [name for name in FIXED if name not in self.names]
        if missing:
            raise ScoreFileError(f"{where}; {' and '.join(missing)} must be among them")
        if sum(name in self.names for name in TIME) != 1:
            raise ScoreFileError(f"{where}; expected exactly one of {' and '.join(TIME)}")
        if len(set(self.names)) < len(self.names) or "" in self.names:
            raise ScoreFileError(f"{where}; their names must differ and not be empty")
        if not self.scores:
            raise ScoreFileError(f"{where}; expected at least one score beside them")

    @property
    def time(self) -> str:
        return next(name for name in TIME if name in self.names)

    @property
    def scores(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in (*FIXED, *TIME))

    def row(self, number: int, texts: list[str]) -> _Row:
        where = f"{self.path}, line {number}"
        if len(texts) != len(self.names):
            raise ScoreFileError(f"{where} has {len(texts)} values, the header {len(self.names)}")
        return _Row(where, self.time, dict(zip(self.names, (text.strip() for text in texts), strict=True)))


@dataclass(frozen=True)
class _Row:
    """One line."""

    where: str
    time_column: str
    cells: dict[str, str]

    def error(self, column: str, value: object, expected: str) -> ScoreFileError:
        return ScoreFileError(f"{self.where}, column {column!r}: {value!r}; expected {expected}")

    @property
    def episode_id(self) -> str:
        if not self.cells["episode_id"]:
            raise self.error("episode_id", "", "a name or number")
        return self.cells["episode_id"]

    @property
    def success(self) -> bool:
        text = self.cells["success"]
        if text.lower() not in SUCCESS:
            raise self.error("success", text, "0 or 1")
        return SUCCESS[text.lower()]

    @property
    def time(self) -> int:
        text = self.cells[self.time_column]
        if not (text.isascii() and text.isdigit()):
            raise self.error(self.time_column, text, "a whole number, 0 or more")
        return int(text)

    def check_place(self, previous: _Row | None) -> None:
        """Compare with the row before it in the same episode, None at the start of one."""
        if previous is not None and self.success != previous.success:
            expected = f"{previous.cells['success']} as in the rows before it of episode {self.episode_id!r}"
            raise self.error("success", self.cells["success"], expected)
        if self.time_column == "replan":
            due = 0 if previous is None else previous.time + 1
            if self.time != due:
                raise self.error("replan", self.time, f"{due}, the next of episode {self.episode_id!r}")
        elif previous is not None and self.time <= previous.time:
            expected = f"more than {previous.time}, the step before it of episode {self.episode_id!r}"
            raise self.error("step", self.time, expected)

    def score(self, column: str, first: bool) -> float:
        text = self.cells[column]
        if first and not text:
            return 0.0
        try:
            value = float(text)
        except ValueError:
            raise self.error(column, text, "a number") from None
        if not isfinite(value):
            raise self.error(column, text, "a finite number")
        return value
