# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals by resampling whole clusters, because episodes of one task and seed are not independent."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lbm_policy_node.core.types import Array

Statistic = Callable[
    [Array], ArrayLike
]  # episode positions (n,), repeats allowed -> (m,) or one; NaN allowed


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Values of a statistic on resampled episodes.

    All columns of a row come from the same resample, so a difference of two columns is a paired one.

    Attributes:
        estimate: On the episodes as they are, shape (m,).
        resampled: Shape (resamples, m).
    """

    estimate: Array
    resampled: Array

    def interval(self, column: int, mass: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of one value, resamples where it is undefined left out."""
        return _interval(self.resampled[:, column], mass)

    def difference(self, first: int, second: int, mass: float = 0.95) -> tuple[float, float, float]:
        """Return the estimate and the interval (low, high) of first minus second."""
        estimate = float(self.estimate[first] - self.estimate[second])
        return estimate, *_interval(self.resampled[:, first] - self.resampled[:, second], mass)


def _interval(values: Array, mass: float) -> tuple[float, float]:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - mass) / 2, (1 + mass) / 2])
    return float(low), float(high)


def cluster_bootstrap(
    statistic: Statistic,
    clusters: Sequence[Hashable],
    *,
    strata: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Draw clusters with replacement and compute the statistic on all episodes of those drawn.

    Args:
        statistic: From episode positions to one or several values.
        clusters: One key per episode, for example (task, seed).
        strata: One key per episode; clusters are drawn within each stratum in its original number, so that,
            with tasks as strata, the interval speaks of other episodes of the same tasks.
        resamples: How many draws.
        seed: Of the draws.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}, expected at least 1")
    blocks = _blocks(clusters, strata if strata is not None else [0] * len(clusters))
    random = np.random.default_rng(seed)
    rows = [np.atleast_1d(statistic(_draw(blocks, random))) for _ in range(resamples)]
    return Bootstrap(np.atleast_1d(statistic(np.arange(len(clusters)))), np.stack(rows))


def _blocks(clusters: Sequence[Hashable], strata: Sequence[Hashable]) -> list[list[Array]]:
    """Positions by cluster, clusters by stratum."""
    if not clusters or len(clusters) != len(strata):
        raise ValueError(
            f"{len(clusters)} clusters and {len(strata)} strata, expected one of each per episode"
        )
    found: dict[Hashable, dict[Hashable, list[int]]] = {}
    for position, (cluster, stratum) in enumerate(zip(clusters, strata, strict=True)):
        found.setdefault(stratum, {}).setdefault(cluster, []).append(position)
    return [[np.array(members) for members in stratum.values()] for stratum in found.values()]


def _draw(blocks: list[list[Array]], random: np.random.Generator) -> Array:
    chosen = [stratum[i] for stratum in blocks for i in random.integers(len(stratum), size=len(stratum))]
    return np.concatenate(chosen)
