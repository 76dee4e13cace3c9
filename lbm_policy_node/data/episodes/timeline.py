# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A picture of an episode: who drove, the monitor's statistic, and the proposed and the commanded actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.types import Array
from lbm_policy_node.data.episodes.episode import Episode
from lbm_policy_node.data.episodes.episode_records import EventKind
from lbm_policy_node.data.episodes.episode_summary import STOP, WARN, alarms

matplotlib.use("Agg")

MODE_COLORS = {
    ControlMode.HOLD: "#b8b8b8",
    ControlMode.POLICY: "#6baed6",
    ControlMode.HUMAN: "#fd8d3c",
    ControlMode.STOPPED: "#cb181d",
}
_QUIET = (EventKind.TAKEOVER, EventKind.HANDBACK)  # the bands show them
_WIDTH_IN, _BAND_IN, _PANEL_IN, _FRAME_IN = 11.0, 0.9, 1.5, 1.3
_AT_LIMIT = 1.15


def draw_timeline(episode: Episode, path: Path) -> Path:
    """Write the picture of an episode.

    Args:
        episode: With at least one control tick.
        path: A .png or .svg file.

    Raises:
        ValueError: There is nothing to draw.
    """
    if not len(episode.ticks):
        raise ValueError(f"'{episode.path}' has no control states; there is nothing to draw")
    names = episode.spec.action_names
    heights = [_BAND_IN, _PANEL_IN] + [_PANEL_IN] * len(names)
    figure = Figure(figsize=(_WIDTH_IN, sum(heights) + _FRAME_IN), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    picture = _Timeline(episode)
    picture.bands(axes[0])
    picture.monitor(axes[1])
    for column, panel in enumerate(axes[2:]):
        picture.action(panel, column)
    axes[-1].set_xlabel("ROS time since the episode began, s")
    axes[-1].set_xlim(0.0, max(episode.duration_s, 1e-3))
    figure.suptitle(_title(episode), fontsize=11)
    figure.savefig(path, dpi=110)
    return path


class _Timeline:
    def __init__(self, episode: Episode) -> None:
        self._episode = episode
        self._times = self._seconds(episode.ticks.stamps_ns)
        modes = episode.ticks.modes
        edges = np.flatnonzero(np.diff(modes)) + 1
        self._spans = [
            (self._times[a], self._times[min(b, len(modes) - 1)], ControlMode(int(modes[a])))
            for a, b in zip([0, *edges], [*edges, len(modes)], strict=True)
        ]

    def bands(self, axes: Any) -> None:
        """Who drives, and what happened."""
        for start, end, mode in self._spans:
            axes.axvspan(start, end, color=MODE_COLORS[mode], linewidth=0)
            if end - start > 0.06 * self._episode.duration_s:
                axes.text((start + end) / 2, 0.5, mode.name, ha="center", va="center", fontsize=9)
        for event in self._episode.events:
            if event.kind in _QUIET:
                continue
            at = self._seconds(event.stamp_ns)
            axes.axvline(at, color="black", linewidth=1.0)
            late = at > 0.85 * self._episode.duration_s
            axes.annotate(
                event.kind.name.lower().replace("_", " "),
                (at, 1.0),
                xytext=(-2 if late else 2, self._lift(event) * 9 + 2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right" if late else "left",
                fontsize=7,
            )
        axes.set(yticks=[], ylim=(0, 1), ylabel="who drives")
        present = list(dict.fromkeys(mode for _, _, mode in self._spans))
        _legend(axes, [Patch(color=MODE_COLORS[mode], label=mode.name) for mode in sorted(present)])

    def monitor(self, axes: Any) -> None:
        """The statistic against its thresholds, and the alarms."""
        verdicts = self._episode.verdicts
        self._shade(axes)
        axes.set_ylabel("monitor\nstatistic")
        if not verdicts:
            axes.text(
                0.5, 0.5, "no verdicts", transform=axes.transAxes, ha="center", va="center", color="0.4"
            )
            axes.set_yticks([])
            return
        times = self._seconds(np.array([verdict.stamp_ns for verdict in verdicts]))
        statistic = _finite([verdict.statistic for verdict in verdicts])
        axes.step(times, statistic, where="post", color="black", linewidth=1.2, label=verdicts[0].monitor)
        axes.plot(times, statistic, ".", color="black", markersize=3)
        for name, color in (("warn", "#e6a700"), ("stop", "#cb181d")):
            level = _finite([getattr(verdict, f"{name}_threshold") for verdict in verdicts])
            axes.step(
                times, level, where="post", color=color, linestyle="--", linewidth=1.0, label=f"{name} at"
            )
        for level, color, marker in ((WARN, "#e6a700", "^"), (STOP, "#cb181d", "v")):
            found = alarms(verdicts, level)
            at = self._seconds(np.array([verdict.stamp_ns for verdict in found], np.int64))
            height = np.nan_to_num([verdict.statistic for verdict in found], posinf=0.0, neginf=0.0)
            label = f"alarm {'WARN' if level == WARN else 'STOP'}"
            size = 12 if level == WARN else 7
            axes.plot(at, height, marker, color=color, markersize=size, label=label if found else None)
        axes.margins(y=0.15)
        _legend(axes)

    def action(self, axes: Any, column: int) -> None:
        """One action column: what the policy proposed and what was commanded."""
        ticks, spec = self._episode.ticks, self._episode.spec
        self._shade(axes)
        axes.plot(self._times, ticks.proposed[:, column], color="#4292c6", linewidth=3.0, label="proposed")
        axes.plot(self._times, ticks.executed[:, column], color="#a63603", linewidth=1.1, label="commanded")
        (unit,) = (b.unit for b in spec.action.blocks if b.columns.start <= column < b.columns.stop)
        axes.set_ylabel(f"{spec.action_names[column]}, {unit}")
        values = np.concatenate([ticks.executed[:, column], ticks.proposed[:, column]])
        values = values[np.isfinite(values)]
        if values.size and np.ptp(values) < 1e-6:
            axes.set_ylim(values[0] - 0.5 * _AT_LIMIT, values[0] + 0.5 * _AT_LIMIT)
        if column == 0:
            _legend(axes, axes.get_legend_handles_labels()[0])

    def _shade(self, axes: Any) -> None:
        for start, end, mode in self._spans:
            axes.axvspan(start, end, color=MODE_COLORS[mode], alpha=0.18, linewidth=0)
        axes.grid(alpha=0.3)

    def _lift(self, event: Any) -> int:
        """Rows above the band, so that labels close to each other do not overlap."""
        shown = [other for other in self._episode.events if other.kind not in _QUIET]
        width_ns = 0.12 * self._episode.duration_s * 1e9
        return sum(0 <= event.stamp_ns - other.stamp_ns < width_ns for other in shown[: shown.index(event)])

    def _seconds(self, stamps_ns: Any) -> Any:
        return (stamps_ns - self._episode.start_ns) * 1e-9


def _finite(values: list[float]) -> Array:
    array = np.array(values, np.float64)
    return np.where(np.isfinite(array), array, np.nan)


def _legend(axes: Any, handles: list[Patch] | list[Line2D] | None = None) -> None:
    options = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "fontsize": 8, "frameon": False}
    axes.legend(**options) if handles is None else axes.legend(handles=handles, **options)


def _title(episode: Episode) -> str:
    header = episode.header
    text = (
        f"{header.episode_id} - {header.robot} - {episode.duration_s:.1f} s - {episode.outcome.name.lower()}"
    )
    return f"{text}\n{header.instruction}" if header.instruction else text
