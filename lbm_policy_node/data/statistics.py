# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Per-feature statistics as LeRobotDataset v3 stores them (stats.json, stats/ columns of an episode)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lbm_policy_node.core.types import Array

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
FeatureStats = Mapping[str, Array]


def vector_stats(values: Array) -> dict[str, Array]:
    """Return min, max, mean, std, count and quantiles over the first axis of an array (T, ...), float64."""
    values = np.asarray(values, dtype=np.float64)
    stats = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    stats["count"] = np.array([len(values)])
    for name, q in QUANTILES.items():
        stats[name] = np.quantile(values, q, axis=0)
    return stats


def image_stats(frames: Array, *, most: int = 16) -> dict[str, Array]:
    """Return per-channel statistics of uint8 frames (T, H, W, 3), at most `most` of them.

    Scaled to [0, 1] and shaped (3, 1, 1).
    """
    chosen = frames[np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int)]
    pixels = chosen.reshape(-1, 3)[:: max(1, chosen[0].size // 3 // 4096)] / 255.0
    stats = {name: value.reshape(3, 1, 1) for name, value in vector_stats(pixels).items() if name != "count"}
    return {**stats, "count": np.array([len(chosen)])}


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
