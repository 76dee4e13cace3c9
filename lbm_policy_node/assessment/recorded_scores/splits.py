# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrates on half of the recorded episodes and tests on the other half, many times at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, nan

import numpy as np

from lbm_policy_node.assessment.detection import detection_replan, earliest, flagged_before, peak
from lbm_policy_node.assessment.metrics import rates
from lbm_policy_node.assessment.recorded_scores.cuts import limits
from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode
from lbm_policy_node.assessment.traces import ELAPSED, traces
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.calibration.conformal import allocate, threshold

Shares = Mapping[str, float]
"""Kinds of traces joined by OR, each with its share of alpha."""

DETECTORS: dict[str, Shares] = {
    ELAPSED: {ELAPSED: 1.0},
    "cumulative": {"cumulative": 1.0},
    "cusum": {"cusum": 1.0},
    "window": {"window": 1.0},
    "max": {"max": 1.0},
    "cusum .5 or elapsed .5": {"cusum": 0.5, ELAPSED: 0.5},
    "cusum .8 or elapsed .2": {"cusum": 0.8, ELAPSED: 0.2},
}


@dataclass(frozen=True)
class Outcome:
    """What one detector did in one half of the episodes, calibrated on the other."""

    tpr: float
    tnr: float
    early: float  # failures flagged in the first half of the time limit


@dataclass(frozen=True, eq=False)
class Split:
    """A random half for calibration; the other half for the test."""

    calibration: Sequence[ScoredEpisode]  # successes only
    test: Sequence[ScoredEpisode]
    halves: Sequence[int]  # per test episode: half of its task's time limit in replans, rounded up


def half_splits(episodes: Sequence[ScoredEpisode], count: int, seed: int = 0) -> list[Split]:
    """Halve the episodes at random, clusters kept whole."""
    if count < 1:
        raise ValueError(f"the number of splits is {count}, expected at least 1")
    random = np.random.default_rng(seed)
    clusters = list(dict.fromkeys(episode.cluster for episode in episodes))
    limit = limits(episodes)
    splits = []
    for _ in range(count):
        order = random.permutation(len(clusters))
        chosen = {clusters[i] for i in order[: len(clusters) // 2]}
        test = [episode for episode in episodes if episode.cluster not in chosen]
        calibration = [e for e in episodes if e.success and e.cluster in chosen]
        splits.append(Split(calibration, test, [ceil(limit[e.group] / 2) for e in test]))
    return splits


def evaluate(
    splits: Sequence[Split], detectors: Mapping[str, Shares], alphas: Sequence[float]
) -> dict[float, dict[str, list[Outcome]]]:
    """Return the outcome of every detector in every split, by alpha."""
    found: dict[float, dict[str, list[Outcome]]] = {a: {name: [] for name in detectors} for a in alphas}
    kinds = dict.fromkeys(kind for shares in detectors.values() for kind in shares)
    for split in splits:
        seen = {kind: _Traced.of(kind, split) for kind in kinds}
        for alpha in alphas:
            for name, shares in detectors.items():
                found[alpha][name].append(_outcome(split, seen, shares, alpha))
    return found


@dataclass(frozen=True, eq=False)
class _Traced:
    """One kind of trace in one split."""

    maxima: Sequence[float]  # of the calibration episodes
    test: Sequence[Array]

    @classmethod
    def of(cls, kind: str, split: Split) -> _Traced:
        maxima = [peak(trace, len(trace)) for trace in traces(kind, split.calibration, split.calibration)]
        return cls(maxima, traces(kind, split.test, split.calibration))


def _outcome(split: Split, seen: Mapping[str, _Traced], shares: Shares, alpha: float) -> Outcome:
    parts = allocate(alpha, shares, len(split.calibration))
    levels = {kind: threshold(seen[kind].maxima, part) if part else inf for kind, part in parts.items()}
    detected = [
        earliest(*(detection_replan(seen[kind].test[i], level) for kind, level in levels.items()))
        for i in range(len(split.test))
    ]
    failed = [not episode.success for episode in split.test]
    counted = rates(np.array([at is not None for at in detected]), np.array(failed))
    rows = [(at, half) for at, half, bad in zip(detected, split.halves, failed, strict=True) if bad]
    early = flagged_before([at for at, _ in rows], [half for _, half in rows]).rate
    return Outcome(counted.tpr, counted.tnr, early)


def mean_and_range(values: Sequence[float], mass: float = 0.9) -> tuple[float, float, float]:
    """Return the mean and the central range over splits, undefined values left out; NaN of nothing."""
    defined = [value for value in values if not np.isnan(value)]
    if not defined:
        return nan, nan, nan
    low, high = np.quantile(defined, [(1 - mass) / 2, (1 + mass) / 2])
    return float(np.mean(defined)), float(low), float(high)
