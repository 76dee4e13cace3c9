# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a LeRobotDataset v3.0 keeps what, and in which types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.features import BOOKKEEPING, CODEBASE_VERSION, Features

DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
INFO, STATS, TASKS = Path("meta/info.json"), Path("meta/stats.json"), Path("meta/tasks.parquet")
SOURCES = Path("meta/lbm_policy.json")
"""Ours, which LeRobot does not read: where each episode comes from."""
FILES_PER_CHUNK = 1000
DATA_FILE_MB, VIDEO_FILE_MB = 100, 200
_TYPES = {"bool": pa.bool_(), "int64": pa.int64(), "float32": pa.float32()}
_TASKS_INDEX = {  # LeRobot reads tasks.parquet with pandas and looks instructions up in its index
    "index_columns": ["task"],
    "column_indexes": [],
    "columns": [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
        for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ],
    "pandas_version": "2.2.0",
}


def feature_schema(features: Features) -> pa.Schema:
    """Return the columns of the features alone: lists for vectors, plain values for single numbers."""
    vectors = [
        pa.field(key, pa.list_(pa.float32(), len(names)) if len(names) > 1 else pa.float32())
        for key, names in features.vectors.items()
    ]
    return pa.schema([*vectors, *(pa.field(key, _TYPES[kind]) for key, kind in features.scalars.items())])


def data_schema(features: Features) -> pa.Schema:
    """Return the columns of a data file, with the feature table that the `datasets` library looks for."""
    schema = feature_schema(features)
    for key, kind in BOOKKEEPING.items():
        schema = schema.append(pa.field(key, _TYPES[kind]))
    hub: dict[str, Any] = {}
    for key, names in features.vectors.items():
        value = {"dtype": "float32", "_type": "Value"}
        hub[key] = {"feature": value, "length": len(names), "_type": "Sequence"} if len(names) > 1 else value
    hub |= {k: {"dtype": kind, "_type": "Value"} for k, kind in {**features.scalars, **BOOKKEEPING}.items()}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": hub}})})


def column(values: Array, kind: pa.DataType) -> pa.Array:
    """Make a column: vectors of (T, n), single numbers of (T,) or (T, 1)."""
    if pa.types.is_fixed_size_list(kind):
        flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel(), pa.float32())
        return pa.FixedSizeListArray.from_arrays(flat, kind.list_size)
    return pa.array(np.asarray(values).reshape(len(values)), kind)


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """Return meta/tasks.parquet: the instructions, indexed by their text."""
    columns = {"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())}
    return pa.table(columns).replace_schema_metadata({"pandas": json.dumps(_TASKS_INDEX)})


def new_info(features: Features, *, fps: int, robot_type: str) -> dict[str, Any]:
    """Return meta/info.json of a dataset without episodes."""
    return {
        "codebase_version": CODEBASE_VERSION,
        "robot_type": robot_type,
        "total_episodes": 0,
        "total_frames": 0,
        "total_tasks": 0,
        "chunks_size": FILES_PER_CHUNK,
        "data_files_size_in_mb": DATA_FILE_MB,
        "video_files_size_in_mb": VIDEO_FILE_MB,
        "fps": fps,
        "splits": {"train": "0:0"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH,
        "features": features.to_info(fps),
    }


def info_differences(there: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Say in which ways episodes of `expected` (info.json) do not fit into the dataset `there`."""
    differences = [
        f"{key}: {there.get(key)} there, {expected[key]} here"
        for key in ("codebase_version", "robot_type", "fps")
        if there.get(key) != expected[key]
    ]
    old, new = there.get("features", {}), expected["features"]
    differences += [f"'{key}' is only there" for key in old if key not in new]
    differences += [f"'{key}' is only here" for key in new if key not in old]
    for key in (key for key in new if key in old):
        a, b = _comparable(old[key]), _comparable(new[key])
        differences += [
            f"'{key}' {part}: {a.get(part)} there, {b.get(part)} here"
            for part in sorted({*a, *b})
            if a.get(part) != b.get(part)
        ]
    return differences


def _comparable(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What must agree of a feature; of a video's details the codec and the pixel format."""
    video = entry.get("info") or entry.get("video_info") or {}
    details = {key: video[key] for key in ("video.codec", "video.pix_fmt") if key in video}
    plain = {key: entry.get(key) for key in ("dtype", "names")}
    return {**plain, "shape": list(entry.get("shape", [])), **details}
