# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads LeRobotDataset v3.0: tables into arrays, videos decoded once into a memory-mapped cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.features import CODEBASE_VERSION, MODE_KEY, Features
from lbm_policy_node.data.video import read_frames


class DatasetError(ValueError):
    """A dataset folder that is not what the format says."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """All steps of a dataset, in the order of the column "index".

    Attributes:
        root: Its folder.
        features: Columns and cameras.
        fps: Steps per second.
        vectors: Column name to float32 (N, n).
        starts, ends: First and one-past-last step of the episode that each step belongs to, int64 (N,).
        instructions: The distinct instructions.
        instruction_index: Which of them each step belongs to, int64 (N,).
        episodes: The rows of meta/episodes.
        stats: Feature to statistic to array (meta/stats.json).
        control_modes: Who drove each step, a `StepMode`, int8 (N,); None if the dataset does not say.
    """

    root: Path
    features: Features
    fps: int
    vectors: dict[str, Array]
    starts: Array
    ends: Array
    instructions: tuple[str, ...]
    instruction_index: Array
    episodes: tuple[dict[str, Any], ...]
    stats: dict[str, dict[str, Array]]
    control_modes: Array | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def frames(self, key: str) -> Array:
        """Return every frame of a camera, uint8 RGB (N, H, W, 3), memory-mapped.

        The first call decodes the videos into cache/<key>.npy inside the dataset's folder (N x H x W x 3
        bytes).
        """
        path = self.root / "cache" / f"{key}.npy"
        if not path.exists():
            self._decode(key, path)
        return np.load(path, mmap_mode="r")

    def _decode(self, key: str, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        height, width = self.features.cameras[key]
        cache = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(self), height, width, 3))
        for video, wanted in self._video_steps(key).items():
            found = 0
            for position, image in enumerate(read_frames(self.root / video)):
                if position in wanted:
                    cache[wanted[position]] = image
                    found += 1
            if found != len(wanted):
                raise DatasetError(f"'{self.root / video}' holds {found} of {len(wanted)} expected frames")
        cache.flush()
        partial.rename(path)

    def _video_steps(self, key: str) -> dict[str, dict[int, int]]:
        """Per video file: position of a frame in it to the step it belongs to."""
        template = json.loads((self.root / "meta/info.json").read_text())["video_path"]
        files: dict[str, dict[int, int]] = {}
        for row in self.episodes:
            chunk, file = row[f"videos/{key}/chunk_index"], row[f"videos/{key}/file_index"]
            name = template.format(video_key=key, chunk_index=chunk, file_index=file)
            first = round(row[f"videos/{key}/from_timestamp"] * self.fps)
            steps = range(row["dataset_from_index"], row["dataset_to_index"])
            files.setdefault(name, {}).update({first + i: step for i, step in enumerate(steps)})
        return files


def read_dataset(root: Path) -> Dataset:
    """Read everything but the images.

    Raises:
        DatasetError: If the folder is no LeRobotDataset v3 or its parts disagree.
    """
    info = _info(root)
    features = Features.from_info(info["features"])
    columns = [*features.vectors, "episode_index", "index", "task_index"]
    columns += [key for key in (MODE_KEY,) if key in info["features"]]
    table = pq.read_table(sorted((root / "data").glob("*/*.parquet")), columns=columns).sort_by("index")
    if table.num_rows != info["total_frames"]:
        raise DatasetError(f"'{root}' has {table.num_rows} steps, meta/info.json says {info['total_frames']}")
    episodes = tuple(_rows(root, "meta/episodes/*/*.parquet"))
    tasks = sorted(_rows(root, "meta/tasks.parquet"), key=lambda row: row["task_index"])
    starts, ends = (np.array([row[f"dataset_{side}_index"] for row in episodes]) for side in ("from", "to"))
    episode = table["episode_index"].to_numpy()
    return Dataset(
        root=root,
        features=features,
        fps=info["fps"],
        vectors={key: _matrix(table[key], len(names)) for key, names in features.vectors.items()},
        starts=starts[episode],
        ends=ends[episode],
        instructions=tuple(row["task"] for row in tasks),
        instruction_index=table["task_index"].to_numpy(),
        episodes=episodes,
        stats=_stats(root),
        control_modes=table[MODE_KEY].to_numpy().astype(np.int8) if MODE_KEY in columns else None,
    )


def _info(root: Path) -> dict[str, Any]:
    path = root / "meta/info.json"
    if not path.exists():
        raise DatasetError(f"'{root}' is not a LeRobotDataset: '{path}' is missing")
    info = json.loads(path.read_text())
    if info.get("codebase_version") != CODEBASE_VERSION:
        found = info.get("codebase_version")
        raise DatasetError(
            f"'{root}' has version {found}, expected {CODEBASE_VERSION}; convert it with LeRobot"
        )
    return info


def _rows(root: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(root.glob(pattern)):
        yield from pq.read_table(path).to_pylist()


def _matrix(column: Any, width: int) -> Array:
    values = column.combine_chunks()
    flat = values.flatten() if hasattr(values, "flatten") and width > 1 else values
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, width)


def _stats(root: Path) -> dict[str, dict[str, Array]]:
    values = json.loads((root / "meta/stats.json").read_text())
    return {key: {name: np.array(value) for name, value in entry.items()} for key, entry in values.items()}
