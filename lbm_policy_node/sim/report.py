# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation results as a table and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def table(summary: Mapping[str, Any]) -> str:
    """Format a summary of sim/evaluation.py for a terminal."""
    lines = [f"{'task':<14}{'solved':>9}{'rate':>7}  95 % interval   median steps  refused chunks"]
    for task, row in summary["tasks"].items():
        low, high = row["interval_95"]
        steps = "-" if row["median_steps"] is None else f"{row['median_steps']:.0f}"
        solved = f"{row['successes']}/{row['episodes']}"
        interval = f"{low:6.1%} - {high:6.1%}"
        lines.append(
            f"{task:<14}{solved:>9}{row['rate']:>7.0%}  {interval}{steps:>14}{row['refused_chunks']:>16}"
        )
    for pair, row in summary["opposites"].items():
        rate = "-" if row["rate"] is None else f"{row['rate']:.1%}"
        lines.append(
            f"{pair}, half open: {row['moved_as_instructed']} of {row['moved']} moved as instructed "
            f"({rate}), {row['solved']} of {row['episodes']} solved"
        )
    return "\n".join(lines)


def plot(summary: Mapping[str, Any], path: Path) -> None:
    """Draw the success rates with their intervals."""
    rows = list(summary["tasks"].items())
    rates = [row["rate"] for _, row in rows]
    below = [row["rate"] - row["interval_95"][0] for _, row in rows]
    above = [row["interval_95"][1] - row["rate"] for _, row in rows]
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    errors = [[max(0.0, value) for value in side] for side in (below, above)]
    axes.bar([task for task, _ in rows], rates, yerr=errors, capsize=4, color="tab:blue", alpha=0.8)
    axes.axhline(0.8, color="tab:gray", linestyle="--", linewidth=1)
    axes.set(
        ylim=(0, 1.05), ylabel="success rate, 95 % interval", title=Path(summary["config"]["checkpoint"]).name
    )
    axes.tick_params(axis="x", rotation=30)
    figure.savefig(path, dpi=120)
    plt.close(figure)
