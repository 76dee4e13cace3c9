# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a monitor's evaluation: example episodes, ROC curves, reliability of the false-alarm rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from lbm_policy_node.assessment.detectors import (
    FIXED_LENGTH,
    UNTIL_SUCCESS,
    Detector,
    ElapsedTime,
    ScoreDetector,
)
from lbm_policy_node.assessment.evaluation import TestSet, cut_peaks
from lbm_policy_node.assessment.metrics import Share
from lbm_policy_node.assessment.protocol import ERRATIC, IN_DISTRIBUTION, PROGRESS
from lbm_policy_node.assessment.scoring import EpisodeScores
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.calibration import conformal

EXAMPLES = 4


def plot_all(
    episodes: Sequence[EpisodeScores],
    detector: ScoreDetector,
    stac: ScoreDetector,
    result: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    """Write every picture; returns the files."""
    data = TestSet.of(episodes, UNTIL_SUCCESS)
    paths = [folder / name for name in ("traces.png", "roc.png", "reliability.png", "perturbations.png")]
    plot_traces(data, detector, paths[0])
    plot_roc(episodes, [detector, stac, ElapsedTime()], paths[1])
    plot_reliability(result, paths[2])
    plot_perturbations(result, paths[3])
    return paths


def plot_traces(data: TestSet, detector: ScoreDetector, path: Path) -> None:
    """Draw the statistic of some episodes of each kind over time, with both thresholds."""
    fitted = detector.fitted(data.calibration, data.mode)
    maxima = [float(fitted.statistic(e).max()) for e in data.calibration]
    kinds = {
        "solved, undisturbed": data.chosen(IN_DISTRIBUTION, success=True),
        "failed, erratic": data.chosen(ERRATIC, success=False),
        "failed, no progress": data.chosen(PROGRESS, success=False),
    }
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), sharey=True, layout="constrained")
    for ax, (title, members) in zip(axes, kinds.items(), strict=True):
        for episode in _spread(members, EXAMPLES):
            values = fitted.statistic(episode)[1:]
            label = f"{episode.task} {episode.perturbation}".strip()
            ax.plot(np.arange(1, len(values) + 1), values, marker=".", label=label)
        for alpha, style in ((0.10, ":"), (0.02, "--")):
            limit = conformal.threshold(maxima, alpha)
            if np.isfinite(limit):
                ax.axhline(limit, color="black", linestyle=style, linewidth=1, label=f"alpha {alpha:g}")
        ax.set(title=title, xlabel="chunk")
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=7)
    axes[0].set(ylabel=detector.name, yscale="symlog")
    if detector.accumulation == "cusum":
        axes[0].set_ylim(bottom=0.0)
    _save(figure, path)


def plot_roc(episodes: Sequence[EpisodeScores], detectors: Sequence[Detector], path: Path) -> None:
    """Draw ROC curves at the end and time-matched, and with episodes of equal length."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    panels = ((UNTIL_SUCCESS, "end"), (UNTIL_SUCCESS, "time_matched"), (FIXED_LENGTH, "end"))
    for ax, (mode, cut) in zip(axes, panels, strict=True):
        data = TestSet.of(episodes, mode)
        for detector in detectors:
            values = cut_peaks(detector.fitted(data.calibration, mode), data, cut)
            _draw_roc(ax, values, data.failed, detector.name)
        ax.plot([0, 1], [0, 1], color="tab:gray", linewidth=0.8)
        ax.set(title=f"{mode.replace('_', ' ')}, {cut.replace('_', ' ')}", xlabel="false alarms")
        ax.legend(fontsize=8, loc="lower right")
    axes[0].set(ylabel="failures flagged")
    _save(figure, path)


def plot_reliability(result: Mapping[str, Any], path: Path) -> None:
    """Draw false alarms on fresh solved episodes against alpha, with exact intervals."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for ax, (mode, section) in zip(axes, result["modes"].items(), strict=True):
        for name, row in section["reliability"].items():
            points = row["this_calibration"]
            alphas = [p["alpha"] for p in points]
            seen = np.array([Share(p["count"], p["total"]).rate for p in points])
            low, high = np.array([p["interval_95"] for p in points]).T
            ax.errorbar(alphas, seen, yerr=[seen - low, high - seen], capsize=3, marker="o", label=name)
        ax.plot([0, 0.3], [0, 0.3], color="tab:gray", linewidth=0.8)
        ax.set(title=mode.replace("_", " "), xlabel="alpha")
        ax.legend(fontsize=8)
    axes[0].set(ylabel="false alarms, 95 % exact interval")
    _save(figure, path)


def plot_perturbations(result: Mapping[str, Any], path: Path) -> None:
    """Draw per disturbance the share that failed, and of those and of the solved ones the share flagged."""
    rows = result["modes"][UNTIL_SUCCESS]["perturbations"]
    names = sorted(rows, key=lambda name: (rows[name]["kind"], name))
    place = np.arange(len(names))
    figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
    failed = [rows[n]["failed"] / rows[n]["episodes"] for n in names]
    flagged = [rows[n]["flagged"]["rate"] for n in names]
    false = [rows[n]["false_alarms"]["rate"] for n in names]
    for offset, values, label in (
        (-0.27, failed, "episodes that failed"),
        (0.0, flagged, "failures flagged"),
        (0.27, false, "solved episodes flagged"),
    ):
        ax.bar(place + offset, np.nan_to_num(values), width=0.26, label=label)
    ax.set_xticks(
        place, [f"{n}\n({rows[n]['kind'].replace('_', ' ')})" for n in names], fontsize=7, rotation=45
    )
    ax.set(ylim=(0, 1.05), title="the monitor (score or time limit) at alpha 0.05")
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _save(figure, path)


def _draw_roc(ax: Axes, values: Array, failed: Array, label: str) -> None:
    limits = np.unique(values)[::-1]
    shares = [((values >= x)[~failed].mean(), (values >= x)[failed].mean()) for x in limits]
    ax.plot(*np.array([(0.0, 0.0), *shares]).T, label=label)


def _spread(members: Sequence[EpisodeScores], count: int) -> list[EpisodeScores]:
    places = np.unique(np.linspace(0, len(members) - 1, count).round().astype(int)) if members else []
    return [members[i] for i in places]


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=110)
    plt.close(figure)
