# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A summary of recorded scores as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CUT_TEXTS = {
    "end": "whole episodes",
    "time_matched": "time-matched: up to the length of the task's shortest episode",
    "first_half": "first half: up to half of the task's longest episode",
}


def table(summary: Mapping[str, Any]) -> str:
    """Format what score_summary.summarise returned."""
    blocks = [_tasks(summary["tasks"])]
    blocks += [_aurocs(cut, kinds) for cut, kinds in summary["auroc"].items()]
    blocks += [_alarms(alpha, detectors) for alpha, detectors in summary["alarms"].items()]
    return "\n\n".join(blocks)


def _tasks(tasks: Mapping[str, Any]) -> str:
    lines = [f"{'task':<16}{'episodes':>9}{'failures':>9}   replans: success, failure (mean), range"]
    for task, row in tasks.items():
        success, failure = (_number(row[f"mean_replans_{kind}"], ".0f") for kind in ("success", "failure"))
        low, high = row["replans"]
        lines.append(
            f"{task:<16}{row['episodes']:>9}{row['failures']:>9}{success:>19}{failure:>9}{low:>9} - {high}"
        )
    return "\n".join(lines)


def _aurocs(cut: str, kinds: Mapping[str, Any]) -> str:
    tasks = list(next(iter(kinds.values()))["tasks"])
    lines = [
        f"AUROC, {CUT_TEXTS[cut]} (95 % intervals)",
        f"{'':<12}{'pooled':>20}{'mean of tasks':>20}{'mean above elapsed':>22}"
        + "".join(f"{t:>9}" for t in tasks),
    ]
    for kind, entry in kinds.items():
        mean = entry["mean_per_task"]
        above = _with_interval(mean["above_elapsed"], mean["above_elapsed_interval_95"], "+.3f")
        values = [
            _with_interval(entry[name]["value"], entry[name]["interval_95"], ".3f")
            for name in entry
            if name != "tasks"
        ]
        per_task = "".join(
            f"{_number(value, '.3f'):>{max(9, len(task))}}" for task, value in entry["tasks"].items()
        )
        lines.append(f"{kind:<12}{values[0]:>20}{values[1]:>20}{above:>22}{per_task}")
    return "\n".join(lines)


def _alarms(alpha: str, detectors: Mapping[str, Any]) -> str:
    lines = [
        f"Alarms on held-out halves at alpha {alpha}: mean over splits (5 to 95 % of them)",
        f"{'':<24}{'TPR':>20}{'TNR':>20}{'early':>20}",
    ]
    for name, row in detectors.items():
        cells = [_with_interval(row[f][0], row[f][1:], ".3f") for f in ("tpr", "tnr", "early")]
        lines.append(f"{name:<24}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(
        [*lines, "early: share of the failures flagged in the first half of the task's longest episode"]
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _with_interval(value: float | None, interval: list[float | None], form: str) -> str:
    if value is None or None in interval:
        return _number(value, form)
    short = form.replace("3", "2")
    return f"{value:{form}} ({interval[0]:{short}}, {interval[1]:{short}})"
