# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Everything that recorded scores say about a detector, as one JSON-able summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from lbm_policy_node.assessment.bootstrap import Bootstrap, cluster_bootstrap
from lbm_policy_node.assessment.detection import peaks
from lbm_policy_node.assessment.metrics import auroc
from lbm_policy_node.assessment.recorded_scores.cuts import CUTS, cut_replans, groups
from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode
from lbm_policy_node.assessment.recorded_scores.splits import DETECTORS, evaluate, half_splits, mean_and_range
from lbm_policy_node.assessment.traces import ELAPSED, KINDS, traces
from lbm_policy_node.core.settings import check_settings, setting
from lbm_policy_node.core.types import Array


@dataclass(frozen=True)
class SummaryConfig:
    """How often things are drawn."""

    splits: int = setting(40, "Random halves of the episodes for the alarm table.", low=1)
    resamples: int = setting(1000, "Bootstrap draws for the AUROC intervals.", low=1)
    seed: int = setting(0, "Of the halves and of the draws.", low=0)

    def __post_init__(self) -> None:
        check_settings(self)


def summarise(
    episodes: Sequence[ScoredEpisode], alphas: Sequence[float], config: SummaryConfig
) -> dict[str, Any]:
    """Compute AUROCs at every cut and what alarms do on held-out halves.

    For the AUROCs the scores are standardised with all successes of the same episodes; for the alarms with
    the successes of the calibrating half only.

    Raises:
        ValueError: There are no successes or no failures, or the scores do not vary.
    """
    done = [episode for episode in episodes if episode.success]
    if not done or len(done) == len(episodes):
        raise ValueError(f"{len(done)} of {len(episodes)} episodes succeeded: it takes both kinds")
    running = {kind: traces(kind, episodes, done) for kind in KINDS}
    return {
        "tasks": {task: _task([episodes[i] for i in at]) for task, at in groups(episodes).items()},
        "auroc": {cut: _aurocs(cut, running, episodes, config) for cut in CUTS},
        "alarms": _alarms(episodes, alphas, config),
    }


def _task(episodes: Sequence[ScoredEpisode]) -> dict[str, Any]:
    lengths = {ok: [e.replans for e in episodes if e.success == ok] for ok in (True, False)}
    return {
        "episodes": len(episodes),
        "failures": len(lengths[False]),
        "replans": [min(e.replans for e in episodes), max(e.replans for e in episodes)],
        "mean_replans_success": float(np.mean(lengths[True])) if lengths[True] else None,
        "mean_replans_failure": float(np.mean(lengths[False])) if lengths[False] else None,
    }


def _aurocs(
    cut: str, running: Mapping[str, list[Array]], episodes: Sequence[ScoredEpisode], config: SummaryConfig
) -> dict[str, Any]:
    """AUROC of each kind at one cut: pooled, mean over tasks and per task."""
    at = cut_replans(cut, episodes)
    heights = np.stack([peaks(running[kind], [at[e.group] for e in episodes]) for kind in KINDS])
    tasks = list(groups(episodes))
    drawn = cluster_bootstrap(
        _statistic(heights, episodes),
        [episode.cluster for episode in episodes],
        strata=[episode.group for episode in episodes],
        resamples=config.resamples,
        seed=config.seed,
    )
    width, clock = 2 + len(tasks), KINDS.index(ELAPSED)
    return {kind: _auroc_entry(drawn, i * width, clock * width, tasks) for i, kind in enumerate(KINDS)}


def _statistic(heights: Array, episodes: Sequence[ScoredEpisode]) -> Callable[[Array], list[float]]:
    """From episode positions to, per kind: pooled, mean over tasks, then one AUROC per task."""
    failed = np.array([not episode.success for episode in episodes])
    _, task_of = np.unique([list(groups(episodes)).index(e.group) for e in episodes], return_inverse=True)

    def values(at: Array) -> list[float]:
        found = []
        for row in heights:
            members = [at[task_of[at] == task] for task in range(task_of.max() + 1)]
            per_task = [auroc(row[m], failed[m]) for m in members]
            defined = [value for value in per_task if not isnan(value)]
            mean = float(np.mean(defined)) if defined else float("nan")
            found += [auroc(row[at], failed[at]), mean, *per_task]
        return found

    return values


def _auroc_entry(drawn: Bootstrap, start: int, clock: int, tasks: Sequence[str]) -> dict[str, Any]:
    """One kind's values with their intervals, and what it has above the clock on the same draws."""
    entry: dict[str, Any] = {}
    for offset, name in enumerate(("pooled", "mean_per_task")):
        difference = [_plain(value) for value in drawn.difference(start + offset, clock + offset)]
        entry[name] = {
            "value": _plain(drawn.estimate[start + offset]),
            "interval_95": [_plain(value) for value in drawn.interval(start + offset)],
            "above_elapsed": difference[0],
            "above_elapsed_interval_95": difference[1:],
        }
    entry["tasks"] = {task: _plain(drawn.estimate[start + 2 + i]) for i, task in enumerate(tasks)}
    return entry


def _alarms(
    episodes: Sequence[ScoredEpisode], alphas: Sequence[float], config: SummaryConfig
) -> dict[str, Any]:
    splits = half_splits(episodes, config.splits, config.seed)
    table: dict[str, Any] = {}
    for alpha, detectors in evaluate(splits, DETECTORS, alphas).items():
        table[f"{alpha:g}"] = {
            name: {
                figure: [_plain(v) for v in mean_and_range([getattr(one, figure) for one in outcomes])]
                for figure in ("tpr", "tnr", "early")
            }
            for name, outcomes in detectors.items()
        }
    return table


def _plain(value: float) -> float | None:
    """JSON knows no NaN: undefined is null."""
    return None if isnan(value) else float(value)
