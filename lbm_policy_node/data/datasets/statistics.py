# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Per-feature statistics as LeRobotDataset v3 stores them (stats.json, stats/ columns of an episode)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lbm_policy_node.core.types import Array

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
PIXELS_PER_FRAME = 512
FeatureStats = Mapping[str, Array]


def vector_stats(values: Array) -> dict[str, Array]:
    """Return min, max, mean, std, count and quantiles over the first axis of an array (T, ...), float64."""
    values = np.asarray(values, dtype=np.float64)
    stats = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    stats["count"] = np.array([len(values)])
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    return stats | dict(zip(QUANTILES, quantiles, strict=True))


class PixelSamples:
    """Collects a grid of pixels of each frame of an episode, for per-channel statistics."""

    def __init__(self) -> None:
        self._parts: list[Array] = []

    def add(self, frame: Array) -> None:
        """Take a uint8 frame (H, W, 3)."""
        stride = max(1, round((frame.shape[0] * frame.shape[1] / PIXELS_PER_FRAME) ** 0.5))
        self._parts.append(frame[stride // 2 :: stride, stride // 2 :: stride].reshape(-1, 3).copy())

    def stats(self) -> dict[str, Array]:
        """Return the statistics as LeRobot stores them: scaled to [0, 1], (3, 1, 1); count is of frames."""
        stats = vector_stats(np.concatenate(self._parts) / 255.0)
        shaped = {name: value.reshape(3, 1, 1) for name, value in stats.items() if name != "count"}
        return {**shaped, "count": np.array([len(self._parts)])}


def stats_of_row(row: Mapping[str, Any]) -> dict[str, dict[str, Array]]:
    """Return the statistics in a row of meta/episodes: feature to statistic to array."""
    stats: dict[str, dict[str, Array]] = {}
    for key, value in row.items():
        if key.startswith("stats/") and value is not None:
            feature, name = key.removeprefix("stats/").rsplit("/", 1)
            stats.setdefault(feature, {})[name] = np.array(value)
    return stats


def aggregate_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Array]]:
    """Combine the statistics of several rows of meta/episodes; features that a row lacks are left out."""
    parts = [stats_of_row(row) for row in rows]
    shared = [key for key in parts[0] if all(key in part for part in parts)]
    return {key: aggregate([part[key] for part in parts]) for key in shared}


def aggregate(parts: Sequence[FeatureStats]) -> dict[str, Array]:
    """Combine the statistics of episodes.

    Exact for min, max, mean and std; quantiles are count-weighted means, as LeRobot's.
    """
    counts = np.array([part["count"][0] for part in parts], dtype=np.float64)
    weights = (counts / counts.sum()).reshape(-1, *([1] * np.ndim(parts[0]["mean"])))
    stacked = {name: np.stack([part[name] for part in parts]) for name in parts[0] if name != "count"}
    mean = (weights * stacked["mean"]).sum(0)
    variance = (weights * (stacked["std"] ** 2 + (stacked["mean"] - mean) ** 2)).sum(0)
    result = {
        "min": stacked["min"].min(0),
        "max": stacked["max"].max(0),
        "mean": mean,
        "std": np.sqrt(variance),
    }
    result["count"] = np.array([int(counts.sum())])
    return result | {name: (weights * stacked[name]).sum(0) for name in QUANTILES}
