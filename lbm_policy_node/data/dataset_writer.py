# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes LeRobotDataset v3.0: parquet with one row group per episode, and videos that many episodes share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.features import BOOKKEEPING, CODEBASE_VERSION, Features
from lbm_policy_node.data.statistics import aggregate, image_stats, vector_stats
from lbm_policy_node.data.video import VideoWriter

DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-000/file-000.parquet"
DATA_FILE_MB, VIDEO_FILE_MB = 100, 200
_TASKS_INDEX = {  # LeRobot reads tasks.parquet with pandas and looks instructions up in its index
    "index_columns": ["task"],
    "column_indexes": [],
    "columns": [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
        for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ],
    "pandas_version": "2.2.0",
}


class DatasetWriter:
    """Adds episodes to a new dataset folder. A context manager: the dataset is readable only after a clean
    exit.

    Format: LeRobotDataset v3.0. One data file and one video file per camera are written; the format's limits
    (100 MB of table, 200 MB of video) are far above what one simulated collection makes, and exceeding them
    is an error.
    """

    def __init__(self, root: Path, features: Features, *, fps: int, robot_type: str) -> None:
        if root.exists() and any(root.iterdir()):
            raise FileExistsError(f"'{root}' exists and is not empty; choose another folder or delete it")
        self.root, self.features, self.fps, self.robot_type = root, features, fps, robot_type
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict[str, Any]] = []
        self._stats: list[dict[str, dict[str, Array]]] = []
        self._frames = 0
        self._schema = self._data_schema()
        path = root / DATA_PATH.format(chunk_index=0, file_index=0)
        path.parent.mkdir(parents=True)
        self._table = pq.ParquetWriter(path, self._schema, compression="snappy")
        self._videos = {
            key: VideoWriter(self._video_path(key), height=height, width=width, fps=fps)
            for key, (height, width) in features.cameras.items()
        }

    def add_episode(self, vectors: Mapping[str, Array], images: Mapping[str, Array], task: str) -> None:
        """Append one episode.

        Args:
            vectors: One float array (T, n) per vector feature.
            images: One uint8 RGB array (T, H, W, 3) per camera.
            task: The instruction.

        Raises:
            ValueError: If features or lengths do not fit.
        """
        length = self._checked_length(vectors, images)
        columns = self._bookkeeping(length, self._tasks.setdefault(task, len(self._tasks)))
        stats = {key: vector_stats(value) for key, value in vectors.items()}
        stats |= {key: image_stats(value) for key, value in images.items()}
        stats |= {key: vector_stats(value[:, None]) for key, value in columns.items()}
        arrays = [self._column(name, {**vectors, **columns}[name]) for name in self._schema.names]
        self._table.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=length)
        self._episodes.append(self._episode_row(length, task, stats))
        self._stats.append(stats)
        for key, frames in images.items():
            self._videos[key].append(frames)
        self._frames += length

    def close(self) -> None:
        """Write the metadata; without it the folder is not a dataset."""
        self._table.close()
        for video in self._videos.values():
            video.close()
        self._check_file_sizes()
        (self.root / "meta").mkdir()
        self._write_tasks()
        self._write_episodes()
        self._write_json("meta/stats.json", self._total_stats())
        self._write_json("meta/info.json", self._info())

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()

    def _checked_length(self, vectors: Mapping[str, Array], images: Mapping[str, Array]) -> int:
        wanted = {**self.features.vectors, **self.features.cameras}
        given = {**vectors, **images}
        if given.keys() != wanted.keys():
            raise ValueError(f"episode has features {sorted(given)}, the dataset {sorted(wanted)}")
        lengths = {key: len(value) for key, value in given.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"every feature needs the same number of steps, got {lengths}")
        for key, (height, width) in self.features.cameras.items():
            if images[key].shape[1:] != (height, width, 3):
                raise ValueError(f"'{key}' must be (T, {height}, {width}, 3), is {images[key].shape}")
        return next(iter(lengths.values()))

    def _bookkeeping(self, length: int, task_index: int) -> dict[str, Array]:
        frame = np.arange(length)
        return {
            "timestamp": (frame / self.fps).astype(np.float32),
            "frame_index": frame,
            "episode_index": np.full(length, len(self._episodes)),
            "index": frame + self._frames,
            "task_index": np.full(length, task_index),
        }

    def _episode_row(
        self, length: int, task: str, stats: Mapping[str, Mapping[str, Array]]
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"episode_index": len(self._episodes), "tasks": [task], "length": length}
        row |= {"data/chunk_index": 0, "data/file_index": 0}
        row |= {"dataset_from_index": self._frames, "dataset_to_index": self._frames + length}
        for key in self._videos:
            row |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0}
            row[f"videos/{key}/from_timestamp"] = self._frames / self.fps
            row[f"videos/{key}/to_timestamp"] = (self._frames + length) / self.fps
        for key, values in stats.items():
            row |= {f"stats/{key}/{name}": np.asarray(value).tolist() for name, value in values.items()}
        return row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}

    def _column(self, name: str, values: Array) -> pa.Array:
        kind = self._schema.field(name).type
        if pa.types.is_fixed_size_list(kind):
            flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel(), pa.float32())
            return pa.FixedSizeListArray.from_arrays(flat, kind.list_size)
        return pa.array(values, kind)

    def _data_schema(self) -> pa.Schema:
        fields = [
            pa.field(key, pa.list_(pa.float32(), len(names))) for key, names in self.features.vectors.items()
        ]
        fields += [
            pa.field(key, pa.float32() if kind == "float32" else pa.int64())
            for key, kind in BOOKKEEPING.items()
        ]
        hub: dict[str, Any] = {
            key: {
                "feature": {"dtype": "float32", "_type": "Value"},
                "length": len(names),
                "_type": "Sequence",
            }
            for key, names in self.features.vectors.items()
        }
        hub |= {key: {"dtype": kind, "_type": "Value"} for key, kind in BOOKKEEPING.items()}
        return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": hub}})})

    def _check_file_sizes(self) -> None:
        limits = {self.root / DATA_PATH.format(chunk_index=0, file_index=0): DATA_FILE_MB}
        limits |= {video.path: VIDEO_FILE_MB for video in self._videos.values()}
        for path, limit in limits.items():
            if path.stat().st_size > limit * 1e6:
                raise ValueError(
                    f"'{path}' exceeds the format's {limit} MB; collect fewer episodes per dataset"
                )

    def _write_tasks(self) -> None:
        columns = {
            "task_index": pa.array(self._tasks.values(), pa.int64()),
            "task": pa.array(self._tasks, pa.string()),
        }
        table = pa.table(columns).replace_schema_metadata({"pandas": json.dumps(_TASKS_INDEX)})
        pq.write_table(table, self.root / "meta/tasks.parquet")

    def _write_episodes(self) -> None:
        path = self.root / EPISODES_PATH
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(self._episodes), path, compression="snappy")

    def _total_stats(self) -> dict[str, Any]:
        totals = {key: aggregate([stats[key] for stats in self._stats]) for key in self._stats[0]}
        return {key: {name: value.tolist() for name, value in stats.items()} for key, stats in totals.items()}

    def _info(self) -> dict[str, Any]:
        return {
            "codebase_version": CODEBASE_VERSION,
            "robot_type": self.robot_type,
            "total_episodes": len(self._episodes),
            "total_frames": self._frames,
            "total_tasks": len(self._tasks),
            "chunks_size": 1000,
            "data_files_size_in_mb": DATA_FILE_MB,
            "video_files_size_in_mb": VIDEO_FILE_MB,
            "fps": self.fps,
            "splits": {"train": f"0:{len(self._episodes)}"},
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH,
            "features": self.features.to_info(self.fps),
        }

    def _write_json(self, name: str, value: dict[str, Any]) -> None:
        (self.root / name).write_text(json.dumps(value, indent=4) + "\n")

    def _video_path(self, key: str) -> Path:
        return self.root / VIDEO_PATH.format(video_key=key, chunk_index=0, file_index=0)
