# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One episode on its way into a dataset: encoded and whole in a folder of its own, not yet part of anything.

A folder appears under its final name only once everything in it is on the disk, so what was staged before a
crash can be used after it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_format import column, feature_schema
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.data.datasets.statistics import PixelSamples, vector_stats
from lbm_policy_node.data.datasets.video import VideoWriter

TABLE, FACTS = "steps.parquet", "facts.json"
FRAMES_IN_FLIGHT = 8


@dataclass(frozen=True, eq=False)
class StagedEpisode:
    """A whole episode.

    Attributes:
        folder: Where it lies.
        length: Steps.
        stats: Feature to statistic to array.
        source: Where it comes from, for meta/lbm_policy.json.
        settings: What it was made with; another dataset or export must not use it.
    """

    folder: Path
    length: int
    stats: Mapping[str, Mapping[str, Array]]
    source: Mapping[str, Any]
    settings: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> StagedEpisode | None:
        """Read a staged episode; None if there is none that is whole."""
        if not folder.is_dir():
            return None
        facts = json.loads((folder / FACTS).read_text())
        stats = {key: {n: np.array(v) for n, v in entry.items()} for key, entry in facts["stats"].items()}
        return cls(folder, facts["length"], stats, facts["source"], facts["settings"])

    def table(self) -> pa.Table:
        """The columns of the features, and each step's instruction in "task"."""
        return pq.read_table(self.folder / TABLE)

    def video(self, key: str) -> Path:
        """A camera's file."""
        return self.folder / f"{key}.mp4"


class EpisodeStage:
    """Takes an episode step by step. Each camera is encoded in a thread of its own.

    Call from one thread, `finish` or `abort` at the end.
    """

    def __init__(self, folder: Path, features: Features, fps: int, settings: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            folder: Final name; what lies there is replaced at the end.
            features: What a step consists of.
            fps: Steps per second.
            settings: See `StagedEpisode`.
        """
        self._folder, self._features, self._settings = folder, features, settings
        self._partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._cameras = {
            key: _Camera(self._partial / f"{key}.mp4", height, width, fps)
            for key, (height, width) in features.cameras.items()
        }
        self.length = 0

    def push(self, images: Mapping[str, Array]) -> None:
        """Add a step's images, uint8 RGB (H, W, 3) each; they may not be written to afterwards."""
        for key, camera in self._cameras.items():
            camera.push(images[key])
        self.length += 1

    def finish(
        self, columns: Mapping[str, Array], tasks: Sequence[str], source: Mapping[str, Any]
    ) -> StagedEpisode:
        """Add everything that is no image, and make the episode whole.

        Args:
            columns: Vectors (T, n) and single numbers (T,), all features that are no camera.
            tasks: The instruction of each step.
            source: Where the episode comes from.

        Raises:
            ValueError: A column is missing, not finite, or of another length than the images.
        """
        self._check(columns, tasks)
        stats = {key: vector_stats(_rows(values)) for key, values in columns.items()}
        stats |= {key: camera.close() for key, camera in self._cameras.items()}
        schema = feature_schema(self._features)
        arrays = [column(columns[name], schema.field(name).type) for name in schema.names]
        table = pa.Table.from_arrays(arrays, schema=schema).append_column(
            "task", pa.array(tasks, pa.string())
        )
        pq.write_table(table, self._partial / TABLE)
        facts = {
            "length": self.length,
            "stats": {key: {n: v.tolist() for n, v in entry.items()} for key, entry in stats.items()},
            "source": dict(source),
            "settings": dict(self._settings),
        }
        (self._partial / FACTS).write_text(json.dumps(facts))
        for path in self._partial.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(self._folder, ignore_errors=True)
        self._partial.rename(self._folder)
        return StagedEpisode(self._folder, self.length, stats, dict(source), dict(self._settings))

    def abort(self) -> None:
        """Throw the episode away."""
        for camera in self._cameras.values():
            camera.stop()
        shutil.rmtree(self._partial, ignore_errors=True)

    def _check(self, columns: Mapping[str, Array], tasks: Sequence[str]) -> None:
        expected = {**self._features.vectors, **self._features.scalars}
        if columns.keys() != expected.keys():
            raise ValueError(f"episode has features {sorted(columns)}, the dataset {sorted(expected)}")
        lengths = {key: len(values) for key, values in columns.items()} | {"task": len(tasks)}
        lengths |= dict.fromkeys(self._cameras, self.length)
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"every feature needs the same number of steps, got {lengths}")
        for key, names in self._features.vectors.items():
            if _rows(columns[key]).shape[1] != len(names):
                raise ValueError(f"'{key}' must be (T, {len(names)}), is {columns[key].shape}")
        broken = [key for key, values in columns.items() if not np.isfinite(values).all()]
        if broken:
            raise ValueError(f"a dataset holds finite numbers only; others are in {broken}")


class _Camera:
    """Encodes in its own thread, a few frames behind."""

    def __init__(self, path: Path, height: int, width: int, fps: int) -> None:
        self._shape = (height, width, 3)
        self._video = VideoWriter(path, height=height, width=width, fps=fps)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="encode")
        self._waiting: list[Any] = []
        self._pixels = PixelSamples()

    def push(self, image: Array) -> None:
        if image.shape != self._shape:
            raise ValueError(f"'{self._video.path.stem}' must be {self._shape}, is {image.shape}")
        self._pixels.add(image)
        self._waiting.append(self._pool.submit(self._video.append, image[None]))
        if len(self._waiting) > FRAMES_IN_FLIGHT:
            self._waiting.pop(0).result()

    def close(self) -> dict[str, Array]:
        """Finish the file; returns the statistics of its pixels."""
        for future in self._waiting:
            future.result()
        self.stop()
        return self._pixels.stats()

    def stop(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._video.close()


def _rows(values: Array) -> Array:
    values = np.asarray(values)
    return values if values.ndim > 1 else values[:, None]
