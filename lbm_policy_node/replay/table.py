# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A replay in words and columns, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.replay.human import HumanError
from lbm_policy_node.replay.limits import Verdict
from lbm_policy_node.replay.report import ChunkResult, ReplayReport, VerdictNumbers

WORST = 5
"""So many chunks get a line of their own."""


def table(report: ReplayReport) -> str:
    """Return what was found, without judging it."""
    return "\n".join([*_head(report), *_columns(report), *_monitors(report), *_worst(report)])


def verdict_text(report: ReplayReport, verdict: Verdict) -> str:
    """Return PASS or FAIL with every reason, and the notes."""
    lines = [f"{'PASS' if verdict.passed else 'FAIL'} {report.episode_id}"]
    lines += [f"  {reason}" for reason in verdict.reasons]
    return "\n".join([*lines, *(f"  note: {note}" for note in verdict.notes)])


def _head(report: ReplayReport) -> list[str]:
    recorded = ", ".join(report.recorded_checkpoint_ids) or "none"
    same = "the recorded one" if report.same_checkpoint else f"recorded: {recorded}"
    replayed = f"{len(report.chunks)} of {report.n_recorded} chunks"
    return [
        f"episode     {report.episode_id}, {report.duration_s:.1f} s",
        f"checkpoint  {report.checkpoint_id} ({same})",
        f"replayed    {replayed} in {report.wall_s:.2f} s, {report.speed:.1f} times real time",
    ]


def _columns(report: ReplayReport) -> list[str]:
    """A line per action column: the largest difference, and the distance to the operator's actions."""
    if not report.chunks:
        return []
    largest = np.max([chunk.difference.columns for chunk in report.chunks], axis=0)
    lines = [f"{'column':16}{'largest difference':>20}{'to human, recorded':>20}{'to human, now':>16}"]
    human = {name: _of(report.human, i) for i, name in enumerate(report.human_names)}
    before = {name: _of(report.recorded_human, i) for i, name in enumerate(report.human_names)}
    for name, value in zip(report.action_names, largest, strict=True):
        lines.append(f"{name:16}{value:20.3g}{before.pop(name, ''):>20}{human.pop(name, ''):>16}")
    lines += [f"{name:36}{before[name]:>20}{value:>16}" for name, value in human.items()]  # rotations
    mmd = "no two samples" if math.isnan(report.largest_mmd) else f"{report.largest_mmd:.3g}"
    times = [
        [c.recorded_inference_s for c in report.chunks],
        [c.inference_s for c in report.chunks],
    ]
    medians = " -> ".join(f"{np.median(values) * 1e3:.1f} ms" for values in times)
    return [*lines, f"largest MMD {mmd}; inference, median: {medians} (recorded -> now)"]


def _of(error: HumanError | None, index: int) -> str:
    return f"{error.columns[index]:.3g}" if error is not None else "-"


def _monitors(report: ReplayReport) -> list[str]:
    if not report.calibration_id and not report.recorded_calibration_id:
        return ["monitor     none"]
    parts = []
    for name, recorded in (("recorded", True), ("now", False)):
        stop = report.first_stop(recorded=recorded)
        first = f", first STOP at chunk {stop}" if stop is not None else ", no STOP"
        calibration = report.recorded_calibration_id if recorded else report.calibration_id
        known = f" ({calibration})" if calibration else " (no calibration)"
        parts.append(f"{name}{known} {report.alarms(recorded=recorded)} alarms{first}")
    return [f"monitor     {'; '.join(parts)}"]


def _worst(report: ReplayReport) -> list[str]:
    worst = sorted(report.chunks, key=lambda chunk: -chunk.difference.value)[:WORST]
    lines = [f"{'chunk':>8}{'time s':>9}{'difference':>12}  {'in':24}{'MMD':>9}  level"] if worst else []
    return lines + [_line(chunk, report.start_ns) for chunk in sorted(worst, key=lambda c: c.stamp_ns)]


def _line(chunk: ChunkResult, start_ns: int) -> str:
    found = chunk.difference
    where = f"{found.column}, row {found.row}"
    mmd = "-" if math.isnan(chunk.mmd) else f"{chunk.mmd:.2g}"
    time_s = (chunk.stamp_ns - start_ns) * 1e-9
    levels = _levels((chunk.recorded_verdict, chunk.verdict))
    return f"{chunk.chunk_id:8d}{time_s:9.2f}{found.value:12.3g}  {where:24}{mmd:>9}  {levels}"


def _levels(verdicts: Sequence[VerdictNumbers | None]) -> str:
    names = ["-" if v is None else _level(v.level) for v in verdicts]
    return names[0] if names[0] == names[1] else " -> ".join(names)


def _level(number: int) -> str:
    return Level(number).name if number in set(Level) else f"level {number}"
