# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole evaluation as JSON values: detectors, reliability of the false-alarm rate, rescues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from lbm_policy_node.assessment.bootstrap import cluster_bootstrap
from lbm_policy_node.assessment.detection import flagged_before
from lbm_policy_node.assessment.detectors import MODES, AnyOf, Detector, ElapsedTime, ScoreDetector
from lbm_policy_node.assessment.evaluation import TestSet, by_perturbation, cut_peaks, judge, task_mean_auroc
from lbm_policy_node.assessment.metrics import auroc, clopper_pearson, rates
from lbm_policy_node.assessment.protocol import IN_DISTRIBUTION
from lbm_policy_node.assessment.rescue import compare
from lbm_policy_node.assessment.scoring import PROGRESS, EpisodeScores
from lbm_policy_node.core.types import Array

ALPHAS = (0.02, 0.05, 0.10)
CLOCK = ElapsedTime()
GRID = (0.02, 0.03, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30)
RESPLITS = 200
RESAMPLES = 500


@dataclass(frozen=True)
class Choice:
    """What is put to the test.

    Attributes:
        score: The monitor's score.
        accumulation: Its running statistic.
        baselines: Scores whose cumulative sum is the published STAC (arXiv:2410.04640): the one with the
            larger balanced accuracy at alpha 0.05 is what the monitor has to match.
    """

    score: str = "energy_ood"
    accumulation: str = "cusum"
    baselines: tuple[str, ...] = ("mmd_median", "mmd_dim")

    @property
    def single(self) -> ScoreDetector:
        """The score alone."""
        return ScoreDetector(self.score, self.accumulation)

    @property
    def monitor(self) -> AnyOf:
        """The monitor as it is deployed: the score or the time limit."""
        parts = {"score": self.single, "time_limit": CLOCK}
        return AnyOf(f"{self.single.name} or time limit", parts, {"score": 0.8, "time_limit": 0.2})

    @property
    def with_progress(self) -> AnyOf:
        """The same with the simulator's reward as a progress detector."""
        parts = {"score": self.single, "time_limit": CLOCK, "progress": ScoreDetector(PROGRESS, "max")}
        shares = {"score": 0.6, "time_limit": 0.2, "progress": 0.2}
        return AnyOf(f"{self.single.name} or time limit or reward", parts, shares)


def detectors(choice: Choice, scores: Sequence[str]) -> list[Detector]:
    """List every detector of the comparison, the monitor first."""
    accumulations = ("cusum", "window", "max", "cumulative")
    listed: list[Detector] = [choice.single, choice.monitor]
    if PROGRESS in scores:
        listed += [choice.with_progress, ScoreDetector(PROGRESS, "max")]
    listed += [CLOCK]
    plain = [score for score in scores if score != PROGRESS]
    listed += [ScoreDetector(s, a) for s in plain for a in accumulations if (s, a) != _key(choice)]
    return listed


def summarise(episodes: Sequence[EpisodeScores], choice: Choice) -> dict[str, Any]:
    """Measure everything in both modes."""
    return {mode: _summarise_mode(TestSet.of(episodes, mode), choice) for mode in MODES}


def _key(choice: Choice) -> tuple[str, str]:
    return choice.score, choice.accumulation


def _summarise_mode(data: TestSet, choice: Choice) -> dict[str, Any]:
    scores = list(data.calibration[0].scores)
    table = {d.name: judge(d, data, ALPHAS) for d in detectors(choice, scores)}
    stac = _strongest(table, [ScoreDetector(score, "cumulative") for score in choice.baselines])
    fitted = {d.name: d.fitted(data.calibration, data.mode) for d in (choice.single, choice.monitor, CLOCK)}
    alarms = {name: {a: each.alarm(a) for a in ALPHAS} for name, each in fitted.items()}
    monitor = alarms[choice.monitor.name]
    return {
        "episodes": {
            "calibration_solved": len(data.calibration),
            "test": len(data.test),
            "test_failed": len(data.failures),
            "in_distribution_solved": len(data.chosen(IN_DISTRIBUTION, success=True)),
        },
        "detectors": table,
        "published_stac": stac.name,
        "against": {
            "published_stac": _differences(choice.single, stac, data),
            "elapsed_time": _differences(choice.single, CLOCK, data),
        },
        "reliability": {d.name: _reliability(d, data) for d in (choice.single, choice.monitor)},
        "rescue": {
            f"{alpha:g}": {
                limit: compare(monitor[alpha], alarms[CLOCK.name][alpha], data, in_time=limit == "in_time")
                for limit in ("in_time", "unlimited")
            }
            for alpha in ALPHAS
        },
        "perturbations": by_perturbation(monitor[0.05], data),
    }


def _strongest(table: dict[str, Any], candidates: Sequence[ScoreDetector]) -> ScoreDetector:
    return max(candidates, key=lambda d: table[d.name]["at_alpha"]["0.05"]["balanced_accuracy"])


def _differences(first: Detector, second: Detector, data: TestSet) -> dict[str, Any]:
    """First minus second, with 95 % intervals from resampling episodes within each task."""
    values = [_resampled_values(detector, data) for detector in (first, second)]
    strata = [e.task for e in data.test]
    result = cluster_bootstrap(
        lambda picked: np.concatenate([value(picked) for value in values]),
        list(range(len(data.test))),
        strata=strata,
        resamples=RESAMPLES,
    )
    names = ("balanced_accuracy", "time_matched_auroc", "time_matched_auroc_task_mean", "flagged_early")
    rows = {}
    for i, name in enumerate(names):
        estimate, low, high = result.difference(i, i + len(names))
        rows[name] = {
            "first": float(result.estimate[i]),
            "second": float(result.estimate[i + len(names)]),
            "difference": estimate,
            "interval_95": [low, high],
        }
    return rows


def _resampled_values(detector: Detector, data: TestSet):
    """Return a function of episode positions: balanced accuracy, two AUROCs, share flagged early."""
    fitted = detector.fitted(data.calibration, data.mode)
    alarm = fitted.alarm(0.05)
    at = [alarm(e) for e in data.test]
    alarmed = np.array([a is not None for a in at])
    medians = data.median_success_chunks()
    deadlines = [medians.get(e.task, 0.0) for e in data.test]
    early = np.array([flagged_before([a], [d]).count for a, d in zip(at, deadlines, strict=True)])
    matched, failed = cut_peaks(fitted, data, "time_matched"), data.failed
    tasks = np.array([e.task for e in data.test])

    def values(picked: Array) -> Array:
        wrong = failed[picked]
        return np.array([
            rates(alarmed[picked], wrong).balanced_accuracy,
            auroc(matched[picked], wrong),
            task_mean_auroc(matched[picked], wrong, tasks[picked]),
            early[picked][wrong].mean() if wrong.any() else np.nan,
        ])  # fmt: skip

    return values


def _reliability(detector: Detector, data: TestSet) -> dict[str, Any]:
    """False alarms on fresh solved episodes by alpha: this calibration, and the mean over re-splits."""
    fresh = data.chosen(IN_DISTRIBUTION, success=True)
    fitted = detector.fitted(data.calibration, data.mode)
    rows = []
    for alpha in GRID:
        alarm = fitted.alarm(alpha)
        count = sum(alarm(e) is not None for e in fresh)
        rows.append({
            "alpha": alpha,
            "count": count,
            "total": len(fresh),
            "interval_95": list(clopper_pearson(count, len(fresh))),
        })  # fmt: skip
    return {"this_calibration": rows, "resplit_mean": _resplit(detector, [*data.calibration, *fresh], data)}


def _resplit(detector: Detector, pool: Sequence[EpisodeScores], data: TestSet) -> dict[str, float]:
    rng = np.random.default_rng(0)
    n = len(data.calibration)
    shares: dict[str, list[float]] = {f"{alpha:g}": [] for alpha in ALPHAS}
    for _ in range(RESPLITS if n < len(pool) else 0):
        order = rng.permutation(len(pool))
        fitted = detector.fitted([pool[i] for i in order[:n]], data.mode)
        for alpha in ALPHAS:
            alarm = fitted.alarm(alpha)
            shares[f"{alpha:g}"].append(float(np.mean([alarm(pool[i]) is not None for i in order[n:]])))
    return {key: float(np.mean(values)) if values else nan for key, values in shares.items()}
