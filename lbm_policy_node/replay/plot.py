# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A replay plotted over time: differences, the monitor's statistic, distance to the operator's actions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.replay.report import ChunkResult, ReplayReport

RECORDED, NOW = "tab:blue", "tab:orange"
SMALLEST = 1e-9
"""Differences of 0 are drawn here on the logarithmic axis."""


def plot(report: ReplayReport, path: Path, *, tolerance: float | None = None) -> None:
    """Write the picture.

    Args:
        report: What was found.
        path: Of the picture; the ending says the format.
        tolerance: Of the differences; None draws no line.
    """
    figure, panels = plt.subplots(3, 1, figsize=(11, 9), sharex=True, layout="constrained")
    _differences(panels[0], report, tolerance)
    _statistics(panels[1], report)
    _human(panels[2], report)
    for panel in panels:
        for first_ns, last_ns in report.human_intervals_ns:
            panel.axvspan(*(_seconds(report, ns) for ns in (first_ns, last_ns)), color="0.5", alpha=0.18)
        panel.grid(alpha=0.25)
    panels[-1].set_xlabel("time since the episode began, s (grey: the operator drives)")
    panels[-1].set_xlim(0.0, max(report.duration_s, 1e-3))
    which = "the recorded checkpoint" if report.same_checkpoint else "another checkpoint"
    figure.suptitle(f"{report.episode_id} with {report.checkpoint_id}, {which}")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _legend(panel: Any) -> None:
    """Beside the panel, where it hides nothing."""
    panel.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _seconds(report: ReplayReport, stamp_ns: int) -> float:
    return (stamp_ns - report.start_ns) * 1e-9


def _times(report: ReplayReport, chunks: Sequence[ChunkResult]) -> list[float]:
    return [_seconds(report, chunk.stamp_ns) for chunk in chunks]


def _differences(panel: Any, report: ReplayReport, tolerance: float | None) -> None:
    times = _times(report, report.chunks)
    columns = np.array([chunk.difference.columns for chunk in report.chunks])
    for index, name in enumerate(report.action_names if len(columns) else ()):
        values = np.clip(columns[:, index], SMALLEST, 1e9)
        panel.plot(times, values, marker=".", linewidth=1.2, label=name)
    if tolerance is not None:
        panel.axhline(max(tolerance, SMALLEST), color="black", linestyle="--", linewidth=1)
        panel.annotate(
            f"tolerance {tolerance:g}",
            (1, max(tolerance, SMALLEST)),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            fontsize=8,
        )
    lost = [_seconds(report, one.stamp_ns) for one in report.lost]
    if lost:
        panel.plot(lost, [SMALLEST] * len(lost), "x", color="tab:red", label="not reproducible")
    panel.set_yscale("log")
    panel.margins(y=0.12)
    panel.set(title="largest difference per chunk", ylabel="column's unit (0 drawn at 1e-9)")
    if report.chunks or lost:
        _legend(panel)


def _statistics(panel: Any, report: ReplayReport) -> None:
    before = [(c, c.recorded_verdict) for c in report.chunks if c.recorded_verdict is not None]
    after = [(c, c.verdict) for c in report.chunks if c.verdict is not None]
    panel.set(title="monitor: statistic of each chunk", ylabel="statistic")
    sides = ((before, "recorded", RECORDED, "o", 2.8), (after, "now", NOW, ".", 1.4))
    for found, name, color, marker, width in sides:
        if not found:
            continue
        times = _times(report, [chunk for chunk, _ in found])
        values = [verdict.statistic for _, verdict in found]
        panel.plot(times, values, marker=marker, color=color, linewidth=width, markersize=5, label=name)
        stops = [t for t, (_, v) in zip(times, found, strict=True) if v.level == Level.STOP]
        if stops:
            panel.axvline(stops[0], color=color, linestyle="-.", label=f"first STOP, {name}")
        _thresholds(panel, [verdict for _, verdict in found], color, name)
    if before or after:
        panel.margins(y=0.12)
        _legend(panel)
    else:
        panel.annotate("no monitor", (0.5, 0.5), xycoords="axes fraction", ha="center")


def _thresholds(panel: Any, verdicts: Sequence[Any], color: str, name: str) -> None:
    for field, dash in (("warn_threshold", ":"), ("stop_threshold", "--")):
        values = {getattr(verdict, field) for verdict in verdicts}
        for value in sorted(v for v in values if math.isfinite(v)):
            panel.axhline(value, color=color, linestyle=dash, linewidth=1)
            text = f"{field.removesuffix('_threshold').upper()}, {name}"
            place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            left = name == "recorded"
            panel.annotate(
                text,
                (0.0 if left else 1.0, value),
                xytext=(4 if left else -4, 3),
                ha="left" if left else "right",
                fontsize=8,
                color=color,
                **place,
            )


def _human(panel: Any, report: ReplayReport) -> None:
    panel.set(title="mean distance to the operator's actions, worst column", ylabel="column's unit")
    sides = (("recorded_human", "recorded", RECORDED, "o", 7), ("human", "now", NOW, "D", 4))
    drawn = False
    for field, name, color, marker, size in sides:
        found = [(chunk, getattr(chunk, field)) for chunk in report.chunks if getattr(chunk, field)]
        if not found:
            continue
        drawn = True
        times = _times(report, [chunk for chunk, _ in found])
        values = [error.largest for _, error in found]
        panel.plot(times, values, marker, color=color, markersize=size, label=f"chunk {name}")
    if drawn:
        panel.margins(y=0.12)
        panel.set_ylim(bottom=0.0)
        _legend(panel)
    else:
        panel.annotate(
            "no row of a chunk is due while the operator drives",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
        )
