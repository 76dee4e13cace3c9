# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded scores as a picture: ROC curves at each cut, and a few episodes against their thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from lbm_policy_node.assessment.detection import peak, peaks
from lbm_policy_node.assessment.metrics import auroc
from lbm_policy_node.assessment.recorded_scores.cuts import CUTS, cut_replans
from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode
from lbm_policy_node.assessment.traces import ELAPSED, KINDS, traces
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.calibration.conformal import threshold

COLORS = dict(zip(KINDS, ("tab:red", "tab:purple", "tab:green", "tab:orange", "tab:gray"), strict=True))
TITLES = {"end": "whole episodes", "time_matched": "time-matched", "first_half": "first half"}
EXAMPLES = 5
LEVELS = ((0.05, "-"), (0.1, "--"))


def plot(columns: Mapping[str, Sequence[ScoredEpisode]], path: Path) -> None:
    """Draw one row of panels per score column: an ROC panel per cut, then CUSUM traces of examples."""
    figure, axes = plt.subplots(
        len(columns), len(CUTS) + 1, figsize=(17, 4.4 * len(columns)), layout="constrained", squeeze=False
    )
    for row, (column, episodes) in zip(axes, columns.items(), strict=True):
        done = [episode for episode in episodes if episode.success]
        for panel, cut in zip(row, CUTS, strict=False):
            _roc(panel, cut, episodes, done)
        row[0].set_ylabel(f"{column}\nshare of failures above")
        _examples(row[-1], episodes, done)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def roc(scores: Array, failed: Array) -> tuple[Array, Array]:
    """Return false-alarm share and true-positive share, from the highest threshold to the lowest."""
    levels = np.unique(scores)[::-1]
    curve = [[float((scores[side] >= level).mean()) for level in levels] for side in (~failed, failed)]
    return np.array([0.0, *curve[0]]), np.array([0.0, *curve[1]])


def _roc(panel: Any, cut: str, episodes: Sequence[ScoredEpisode], done: Sequence[ScoredEpisode]) -> None:
    at = cut_replans(cut, episodes)
    failed = np.array([not episode.success for episode in episodes])
    for kind in KINDS:
        scores = peaks(traces(kind, episodes, done), [at[episode.group] for episode in episodes])
        dash = ":" if kind == ELAPSED else "-"
        label = f"{kind} {auroc(scores, failed):.3f}"
        panel.plot(*roc(scores, failed), dash, color=COLORS[kind], label=label, linewidth=1.6)
    panel.plot([0, 1], [0, 1], color="black", linewidth=0.6)
    panel.set(title=f"{TITLES[cut]}, all tasks pooled", xlabel="share of successes above")
    panel.legend(loc="lower right", title="AUROC", fontsize=8)


def _examples(panel: Any, episodes: Sequence[ScoredEpisode], done: Sequence[ScoredEpisode]) -> None:
    """CUSUM of a few failures over all successes, with the thresholds that all successes give."""
    passed = traces("cusum", done, done)
    for trace in passed:
        panel.plot(trace, color="tab:blue", linewidth=0.5, alpha=0.4)
    failures = sorted(
        traces("cusum", [e for e in episodes if not e.success], done), key=lambda t: peak(t, len(t))
    )
    places = np.linspace(0, len(failures) - 1, min(EXAMPLES, len(failures)) + 2)[1:-1].round().astype(int)
    for place in places:
        panel.plot(failures[place], color="tab:red", linewidth=1.5)
    levels = [threshold([peak(t, len(t)) for t in passed], alpha) for alpha, _ in LEVELS]
    armed = [level for level in levels if np.isfinite(level)]
    for level, (alpha, dash) in zip(levels, LEVELS, strict=True):
        if np.isfinite(level):
            panel.axhline(level, color="black", linestyle=dash, linewidth=1)
            panel.annotate(
                f"alpha {alpha:g}", (0, level), xytext=(2, 3), textcoords="offset points", fontsize=8
            )
    if armed and max(armed) > 0:
        panel.set_ylim(-0.03 * max(armed), 2.5 * max(armed))  # failures may rise many times higher
    panel.plot([], color="tab:blue", label=f"all {len(passed)} successes")
    panel.plot([], color="tab:red", label=f"{len(places)} of {len(failures)} failures, evenly by maximum")
    panel.set(title="CUSUM and its thresholds", xlabel="replan", ylabel="standard deviations")
    panel.legend(loc="upper left", fontsize=8)
