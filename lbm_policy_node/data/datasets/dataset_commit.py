# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings staged episodes into a dataset so that a crash at any moment leaves it as it was before.

Files in use are never changed. New tables and videos are written under names that no reader looks for, the
small files of meta/ are replaced whole, and meta/info.json, which says how many episodes count, comes last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.bags.bag_metadata import write_durably
from lbm_policy_node.data.datasets.dataset_contents import DatasetContents, following
from lbm_policy_node.data.datasets.dataset_format import (
    DATA_PATH,
    EPISODES_PATH,
    INFO,
    SOURCES,
    STATS,
    TASKS,
    VIDEO_PATH,
    column,
    data_schema,
    tasks_table,
)
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.data.datasets.staging import StagedEpisode
from lbm_policy_node.data.datasets.statistics import aggregate_rows, vector_stats
from lbm_policy_node.data.datasets.video import join_videos

PARTIAL = ".partial"


def commit(contents: DatasetContents, features: Features, staged: Sequence[StagedEpisode]) -> None:
    """Append episodes, in order.

    Args:
        contents: The dataset as it is; may be empty, then nothing of it is on the disk yet.
        features: Of the dataset.
        staged: The new episodes.
    """
    if staged:
        _Commit(contents, features, staged).run()


def remove_leftovers(contents: DatasetContents) -> None:
    """Delete the tables, videos and lists of a commit that never happened, also partial files."""
    root = contents.root
    used = set(contents.data_files)
    used |= {root / EPISODES_PATH.format(**_place(row, "meta/episodes")) for row in contents.episodes}
    for key, feature in contents.info["features"].items():
        if feature["dtype"] == "video":
            used |= {contents.video_file(key, row) for row in contents.episodes}
    for folder in ("data", "videos", "meta/episodes"):
        for path in (root / folder).rglob("file-*"):
            if path not in used:
                path.unlink()


class _Commit:
    def __init__(
        self, contents: DatasetContents, features: Features, staged: Sequence[StagedEpisode]
    ) -> None:
        self._contents, self._features, self._staged = contents, features, staged
        self._root, self._fps = contents.root, contents.info["fps"]
        self._tasks = list(contents.tasks)
        first_frame = contents.info["total_frames"]
        self._rows: list[dict[str, Any]] = []
        for episode in staged:
            row = {"episode_index": len(contents.episodes) + len(self._rows), "tasks": [""]}
            row |= {"length": episode.length, "dataset_from_index": first_frame}
            first_frame += episode.length
            self._rows.append(row | {"dataset_to_index": first_frame})
        self._renames: list[Path] = []

    def run(self) -> None:
        self._write_videos()
        self._write_data()
        episodes = [*self._contents.episodes, *self._rows]
        self._write_episodes()
        self._write_table(TASKS, tasks_table(self._tasks))
        for path in self._renames:
            _partial(path).replace(path)
            _sync_folder(path.parent)
        sources = {**self._contents.sources}
        sources |= {
            row["episode_index"]: staged.source
            for row, staged in zip(self._rows, self._staged, strict=True)
            if staged.source
        }
        if sources:
            self._write_json(SOURCES, {"format": 1, "episodes": {str(k): v for k, v in sources.items()}})
        stats = aggregate_rows(episodes)
        listed = {
            key: {name: value.tolist() for name, value in entry.items()} for key, entry in stats.items()
        }
        self._write_json(STATS, listed)
        totals = {"total_episodes": len(episodes), "total_frames": episodes[-1]["dataset_to_index"]}
        totals |= {"total_tasks": len(self._tasks), "splits": {"train": f"0:{len(episodes)}"}}
        self._write_json(INFO, {**self._contents.info, **totals})

    def _write_videos(self) -> None:
        limit = self._contents.info["video_files_size_in_mb"] * 2**20
        for key in self._features.cameras:
            sizes = [episode.video(key).stat().st_size for episode in self._staged]
            place = self._contents.next_place(f"videos/{key}")
            for group in _groups(sizes, limit):
                path = self._new(VIDEO_PATH.format(video_key=key, **_named(place)))
                join_videos([self._staged[i].video(key) for i in group], _partial(path), self._fps)
                frame = 0
                for i in group:
                    span = {"from": frame, "to": frame + self._staged[i].length}
                    frame = span["to"]
                    prefix = f"videos/{key}"
                    self._rows[i] |= {f"{prefix}/{k}": v for k, v in _named(place).items()}
                    self._rows[i] |= {f"{prefix}/{k}_timestamp": v / self._fps for k, v in span.items()}
                place = following(place)

    def _write_data(self) -> None:
        limit = self._contents.info["data_files_size_in_mb"] * 2**20
        sizes = [(episode.folder / "steps.parquet").stat().st_size for episode in self._staged]
        place, schema = self._contents.next_place("data"), data_schema(self._features)
        for group in _groups(sizes, limit):
            path = self._new(DATA_PATH.format(**_named(place)))
            with pq.ParquetWriter(_partial(path), schema, compression="snappy") as writer:
                for i in group:
                    self._rows[i] |= {f"data/{key}": value for key, value in _named(place).items()}
                    table = self._data_table(self._rows[i], self._staged[i], schema)
                    writer.write_table(table, row_group_size=table.num_rows)
            _sync(_partial(path))
            place = following(place)

    def _data_table(self, row: dict[str, Any], staged: StagedEpisode, schema: pa.Schema) -> pa.Table:
        table = staged.table()
        instructions = table["task"].to_pylist()
        row["tasks"] = list(dict.fromkeys(instructions))
        self._tasks += [task for task in row["tasks"] if task not in self._tasks]
        frame = np.arange(staged.length)
        columns: dict[str, Array] = {
            "timestamp": (frame / self._fps).astype(np.float32),
            "frame_index": frame,
            "episode_index": np.full(staged.length, row["episode_index"]),
            "index": frame + row["dataset_from_index"],
            "task_index": np.array([self._tasks.index(task) for task in instructions]),
        }
        stats = {**staged.stats, **{key: vector_stats(value[:, None]) for key, value in columns.items()}}
        for key, values in stats.items():
            row |= {f"stats/{key}/{name}": np.asarray(value).tolist() for name, value in values.items()}
        made = {name: column(values, schema.field(name).type) for name, values in columns.items()}
        arrays = [made[name] if name in made else table[name] for name in schema.names]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _write_episodes(self) -> None:
        place = _named(self._contents.next_place("meta/episodes"))
        for row in self._rows:
            row |= {f"meta/episodes/{key}": value for key, value in place.items()}
        self._write_table(Path(EPISODES_PATH.format(**place)), pa.Table.from_pylist(self._rows))

    def _write_table(self, name: Path, table: pa.Table) -> None:
        path = self._new(str(name))
        pq.write_table(table, _partial(path), compression="snappy")
        _sync(_partial(path))

    def _write_json(self, name: Path, value: Mapping[str, Any]) -> None:
        write_durably(self._root / name, json.dumps(value, indent=4) + "\n")

    def _new(self, name: str) -> Path:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._renames.append(path)
        return path


def _groups(sizes: Sequence[int], limit: float) -> Iterator[list[int]]:
    """Yield runs of positions whose sizes add up to no more than a limit; one that is larger is alone."""
    group: list[int] = []
    total = 0
    for position, size in enumerate(sizes):
        if group and total + size > limit:
            yield group
            group, total = [], 0
        group.append(position)
        total += size
    if group:
        yield group


def _named(place: tuple[int, int]) -> dict[str, int]:
    return {"chunk_index": place[0], "file_index": place[1]}


def _place(row: Mapping[str, Any], prefix: str) -> dict[str, int]:
    return {name: row[f"{prefix}/{name}"] for name in ("chunk_index", "file_index")}


def _partial(path: Path) -> Path:
    return path.with_name(path.name + PARTIAL)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
