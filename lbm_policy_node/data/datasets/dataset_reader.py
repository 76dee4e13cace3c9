# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads LeRobotDataset v3.0: tables into arrays, videos decoded once into a memory-mapped cache."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_contents import DatasetContents, DatasetError
from lbm_policy_node.data.datasets.dataset_format import STATS
from lbm_policy_node.data.datasets.features import CLASS_KEY, MODE_KEY, Features
from lbm_policy_node.data.datasets.statistics import aggregate_rows
from lbm_policy_node.data.datasets.video import read_frames

__all__ = ["Dataset", "DatasetError", "read_dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """All steps of a dataset, in the order of the column "index".

    Attributes:
        root: Its folder.
        contents: What its meta folder says.
        features: Columns and cameras; training reads the vectors, not the other columns of one number.
        fps: Steps per second.
        vectors: Column name to float32 (N, n).
        starts, ends: First and one-past-last step of the episode that each step belongs to, int64 (N,).
        instructions: The distinct instructions.
        instruction_index: Which of them each step belongs to, int64 (N,).
        episodes: The rows of meta/episodes that are part of this, by number.
        stats: Feature to statistic to array, of these episodes.
        rows: Position of each step in the whole dataset, int64 (N,).
        control_modes: Who drove each step, a `StepMode`, int8 (N,); None if the dataset does not say.
        classes: The `StepClass` of each step as exported, int8 (N,); None if the dataset does not say.
    """

    root: Path
    contents: DatasetContents
    features: Features
    fps: int
    vectors: dict[str, Array]
    starts: Array
    ends: Array
    instructions: tuple[str, ...]
    instruction_index: Array
    episodes: tuple[dict[str, Any], ...]
    stats: dict[str, dict[str, Array]]
    rows: Array
    control_modes: Array | None = None
    classes: Array | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def subset(self, numbers: Iterable[int]) -> Dataset:
        """Return some of the episodes, in the order of their numbers, with the statistics of these alone.

        Raises:
            DatasetError: There is no such episode, or none at all.
        """
        chosen = set(numbers)
        episodes = tuple(row for row in self.episodes if row["episode_index"] in chosen)
        if unknown := chosen - {row["episode_index"] for row in episodes}:
            raise DatasetError(f"'{self.root}' has no episodes {sorted(unknown)} to choose")
        if not episodes:
            raise DatasetError(f"no episode of '{self.root}' was chosen; nothing is left to learn from")
        spans = [self.steps_of(row["episode_index"]) for row in episodes]
        at, lengths = np.concatenate(spans), np.array([len(span) for span in spans])
        ends = np.repeat(np.cumsum(lengths), lengths)
        return replace(
            self,
            vectors={key: values[at] for key, values in self.vectors.items()},
            starts=ends - np.repeat(lengths, lengths),
            ends=ends,
            instruction_index=self.instruction_index[at],
            episodes=episodes,
            stats=aggregate_rows(episodes),
            rows=self.rows[at],
            control_modes=None if self.control_modes is None else self.control_modes[at],
            classes=None if self.classes is None else self.classes[at],
        )

    def steps_of(self, number: int) -> Array:
        """Return the steps of an episode, int64, ascending."""
        row = self.contents.episodes[number]
        return np.flatnonzero(
            (self.rows >= row["dataset_from_index"]) & (self.rows < row["dataset_to_index"])
        )

    def frames(self, key: str) -> Array:
        """Return every frame of a camera of the whole dataset, uint8 RGB (M, H, W, 3), memory-mapped.

        Those of a subset's steps are at `rows`. The first call decodes the videos into cache/<key>.npy inside
        the dataset's folder (M x H x W x 3 bytes).
        """
        total = self.contents.info["total_frames"]
        path = self.root / "cache" / f"{key}.npy"
        if not path.exists() or len(np.load(path, mmap_mode="r")) != total:  # episodes came later
            self._decode(key, path, total)
        return np.load(path, mmap_mode="r")

    def _decode(self, key: str, path: Path, total: int) -> None:
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        height, width = self.features.cameras[key]
        cache = np.lib.format.open_memmap(partial, "w+", np.uint8, (total, height, width, 3))
        for video, steps in self._video_steps(key).items():
            found = 0
            for position, image in enumerate(read_frames(video)):
                if position in steps:
                    cache[steps[position]] = image
                    found += 1
            if found != len(steps):
                raise DatasetError(f"'{video}' holds {found} of {len(steps)} expected frames")
        cache.flush()
        partial.rename(path)

    def _video_steps(self, key: str) -> dict[Path, dict[int, int]]:
        """Per video file: position of a frame in it to the step of the whole dataset that it belongs to."""
        files: dict[Path, dict[int, int]] = {}
        for row in self.contents.episodes:
            first = round(row[f"videos/{key}/from_timestamp"] * self.fps)
            steps = range(row["dataset_from_index"], row["dataset_to_index"])
            places = files.setdefault(self.contents.video_file(key, row), {})
            places.update({first + i: step for i, step in enumerate(steps)})
        return files


def read_dataset(root: Path) -> Dataset:
    """Read everything but the images.

    Raises:
        DatasetError: If the folder is no LeRobotDataset v3 or its parts disagree.
    """
    contents = DatasetContents.read(root)
    info, episodes = contents.info, contents.episodes
    features = Features.from_info(info["features"])
    labels = [key for key in (MODE_KEY, CLASS_KEY) if key in info["features"]]
    columns = [*features.vectors, "episode_index", "index", "task_index", *labels]
    table = pq.read_table(contents.data_files, columns=columns).sort_by("index") if episodes else None
    if table is None or table.num_rows != info["total_frames"]:
        found = table.num_rows if table else 0
        raise DatasetError(f"'{root}' has {found} steps, meta/info.json says {info['total_frames']}")
    starts, ends = (np.array([row[f"dataset_{side}_index"] for row in episodes]) for side in ("from", "to"))
    episode = table["episode_index"].to_numpy()
    label = {key: table[key].to_numpy().astype(np.int8) for key in labels}
    return Dataset(
        root=root,
        contents=contents,
        features=features,
        fps=info["fps"],
        vectors={key: _matrix(table[key], len(names)) for key, names in features.vectors.items()},
        starts=starts[episode],
        ends=ends[episode],
        instructions=contents.tasks,
        instruction_index=table["task_index"].to_numpy(),
        episodes=episodes,
        stats=_stats(contents),
        rows=np.arange(table.num_rows),
        control_modes=label.get(MODE_KEY),
        classes=label.get(CLASS_KEY),
    )


def _matrix(column: Any, width: int) -> Array:
    values = column.combine_chunks()
    flat = values.flatten() if hasattr(values, "flatten") and width > 1 else values
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, width)


def _stats(contents: DatasetContents) -> dict[str, dict[str, Array]]:
    values = json.loads((contents.root / STATS).read_text())
    if values.get("index", {}).get("count", [contents.info["total_frames"]]) != [
        contents.info["total_frames"]
    ]:
        return aggregate_rows(contents.episodes)  # a commit was cut off just before its last file
    return {key: {name: np.array(value) for name, value in entry.items()} for key, entry in values.items()}
