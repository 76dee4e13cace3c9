# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a dataset folder holds, as far as its meta/info.json says so; what a crash left beside is no part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lbm_policy_node.data.datasets.dataset_format import FILES_PER_CHUNK, INFO, SOURCES, TASKS
from lbm_policy_node.data.datasets.features import CODEBASE_VERSION


class DatasetError(ValueError):
    """A dataset folder that is not what the format says."""


@dataclass(frozen=True, eq=False)
class DatasetContents:
    """The meta folder of a dataset.

    Attributes:
        root: Its folder.
        info: meta/info.json.
        episodes: Rows of meta/episodes, by number.
        tasks: The instructions, by number.
        sources: Number of an episode to where it comes from, for episodes that `lbm export` wrote.
    """

    root: Path
    info: Mapping[str, Any]
    episodes: tuple[dict[str, Any], ...]
    tasks: tuple[str, ...]
    sources: Mapping[int, Mapping[str, Any]]

    @classmethod
    def read(cls, root: Path) -> DatasetContents:
        """Read it.

        Raises:
            DatasetError: There is no dataset, it has another version, or its parts disagree.
        """
        info = read_info(root)
        total = info["total_episodes"]
        rows = [row for row in _rows(root, "meta/episodes/*/*.parquet") if row["episode_index"] < total]
        rows.sort(key=lambda row: row["episode_index"])
        if [row["episode_index"] for row in rows] != list(range(total)):
            raise DatasetError(f"'{root}' lists {len(rows)} episodes, meta/info.json says {total}")
        tasks = sorted(_rows(root, str(TASKS)), key=lambda row: row["task_index"])
        return cls(root, info, tuple(rows), tuple(row["task"] for row in tasks), _sources(root, total))

    @property
    def data_files(self) -> list[Path]:
        """The tables that episodes lie in."""
        places = {(row["data/chunk_index"], row["data/file_index"]) for row in self.episodes}
        return [
            self.root / self.info["data_path"].format(chunk_index=chunk, file_index=file)
            for chunk, file in sorted(places)
        ]

    def video_file(self, key: str, row: Mapping[str, Any]) -> Path:
        """The video of a camera in which an episode lies."""
        chunk, file = row[f"videos/{key}/chunk_index"], row[f"videos/{key}/file_index"]
        name = self.info["video_path"].format(video_key=key, chunk_index=chunk, file_index=file)
        return self.root / name

    def next_place(self, prefix: str) -> tuple[int, int]:
        """Return chunk and file index after the last one in use; prefix is "data", "videos/<key>" or such."""
        places = [(row[f"{prefix}/chunk_index"], row[f"{prefix}/file_index"]) for row in self.episodes]
        return following(max(places)) if places else (0, 0)


def following(place: tuple[int, int]) -> tuple[int, int]:
    """Return the chunk and file index after another."""
    chunk, file = place
    return (chunk, file + 1) if file + 1 < FILES_PER_CHUNK else (chunk + 1, 0)


def read_info(root: Path) -> dict[str, Any]:
    """Read meta/info.json.

    Raises:
        DatasetError: There is none, or it is of another version.
    """
    path = root / INFO
    if not path.exists():
        raise DatasetError(f"'{root}' is not a LeRobotDataset: '{path}' is missing")
    info = json.loads(path.read_text())
    if (found := info.get("codebase_version")) != CODEBASE_VERSION:
        raise DatasetError(
            f"'{root}' has version {found}, expected {CODEBASE_VERSION}; convert it with LeRobot"
        )
    return info


def _sources(root: Path, total: int) -> dict[int, Mapping[str, Any]]:
    path = root / SOURCES
    if not path.exists():
        return {}
    episodes = json.loads(path.read_text())["episodes"]
    return {int(number): source for number, source in episodes.items() if int(number) < total}


def _rows(root: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(root.glob(pattern)):
        yield from pq.read_table(path).to_pylist()
