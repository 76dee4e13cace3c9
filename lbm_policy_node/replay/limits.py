# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a replay must hold, and whether it does."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lbm_policy_node.core.settings import check_settings, setting
from lbm_policy_node.replay.report import ReplayReport

SAME_CHECKPOINT_TOLERANCE = 1e-4
"""In each column's unit: float32 sums in another order stay far below, other weights far above."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is asked. None asks nothing.

    Raises:
        ValueError: A number is negative, or no number.
    """

    tolerance: float | None = setting(
        None,
        "Largest difference of an action value, in its column's unit. Without it: 1e-4 for the recorded "
        "checkpoint, nothing for another one.",
        low=0.0,
    )
    max_mmd: float | None = setting(
        None, "Largest squared MMD between the sample sets of a chunk.", low=0.0, high=2.0
    )
    max_human_error: float | None = setting(
        None,
        "Largest mean distance to what the operator did, over all interventions, in the worst column's unit.",
        low=0.0,
    )
    no_new_alarms: bool = setting(
        False, "Fail where the monitor alarms on a chunk higher than it did in the recording."
    )
    allow_missing: float = setting(
        0.05,
        "Share of the recorded chunks that may be not reproducible, because their messages are not in the "
        "bag. Those that were computed from messages of before the recording do not count.",
        low=0.0,
        high=1.0,
    )

    def __post_init__(self) -> None:
        check_settings(self)
        for name in ("tolerance", "max_mmd", "max_human_error"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < math.inf:
                raise ValueError(f"{name} is {value}; expected 0 or more")


@dataclass(frozen=True)
class Verdict:
    """PASS without reasons, else FAIL.

    Attributes:
        reasons: Each thing that does not hold, worst chunk named.
        notes: What the user should know even so.
    """

    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all holds."""
        return not self.reasons


def judge(report: ReplayReport, limits: Limits) -> Verdict:
    """Compare a report with what is asked."""
    tolerance = tolerance_of(report, limits)
    reasons = [
        *_lost(report, limits.allow_missing),
        *report.failed,
        *_different(report, tolerance),
        *_discrepant(report, limits.max_mmd),
        *_inhuman(report, limits.max_human_error),
        *(_alarmed(report) if limits.no_new_alarms else ()),
    ]
    return Verdict(tuple(reasons), tuple(_notes(report, limits, tolerance)))


def tolerance_of(report: ReplayReport, limits: Limits) -> float | None:
    """The tolerance in force; None: differences are not judged."""
    if limits.tolerance is None and report.same_checkpoint:
        return SAME_CHECKPOINT_TOLERANCE
    return limits.tolerance


def _lost(report: ReplayReport, allowed: float) -> list[str]:
    if not report.chunks and not report.failed:
        why = [lost.why for lost in report.lost] + list(report.broken)
        return [f"no chunk could be replayed: {why[0]}" if why else "there is no chunk to replay"]
    gone = [f"chunk {lost.chunk_id}: {lost.why}" for lost in report.lost if not lost.before]
    gone += report.broken
    if len(gone) <= allowed * report.n_recorded:
        return []
    text = f"{len(gone)} of {report.n_recorded} chunks are not reproducible, allowed are {allowed:.0%}"
    return [f"{text}; the first: {gone[0]}"]


def _different(report: ReplayReport, tolerance: float | None) -> list[str]:
    if tolerance is None:
        return []
    beyond = [chunk for chunk in report.chunks if not chunk.difference.value <= tolerance]
    if not beyond:
        return []
    worst = max(beyond, key=lambda chunk: chunk.difference.value)
    found = worst.difference
    what = "the executed chunk" if found.sample < 0 else f"sample {found.sample}"
    return [
        f"{len(beyond)} of {len(report.chunks)} chunks differ by more than {tolerance:g}; the worst is chunk "
        f"{worst.chunk_id}: column '{found.column}', row {found.row} of {what}, by {found.value:.3g}"
    ]


def _discrepant(report: ReplayReport, limit: float | None) -> list[str]:
    if limit is None:
        return []
    if math.isnan(report.largest_mmd):
        return ["max_mmd is asked, but no chunk carries two samples to compare"]
    worst = max((c for c in report.chunks if not math.isnan(c.mmd)), key=lambda chunk: chunk.mmd)
    if worst.mmd <= limit:
        return []
    return [f"the samples of chunk {worst.chunk_id} have an MMD of {worst.mmd:.3g}, allowed is {limit:g}"]


def _inhuman(report: ReplayReport, limit: float | None) -> list[str]:
    if limit is None:
        return []
    if report.human is None:
        return ["max_human_error is asked, but no row of a chunk is due while the operator drove"]
    if report.human.largest <= limit:
        return []
    column = report.human_names[report.human.columns.index(report.human.largest)]
    text = f"the mean distance to the operator's actions is {report.human.largest:.3g} in '{column}'"
    return [f"{text}, allowed is {limit:g}"]


def _alarmed(report: ReplayReport) -> list[str]:
    if not report.calibration_id:
        return [f"no_new_alarms is asked, but {report.checkpoint} has no calibration: lbm calibrate makes it"]
    new = [chunk for chunk in report.chunks if chunk.new_alarm]
    if not new:
        return []
    first = new[0]
    assert first.verdict is not None  # it has an alarm
    text = f"{len(new)} chunks have an alarm that the recording has not; the first is chunk {first.chunk_id}"
    return [f"{text}: {first.verdict.text}"]


def _notes(report: ReplayReport, limits: Limits, tolerance: float | None) -> list[str]:
    notes: list[str] = []
    asked = (tolerance, limits.max_mmd, limits.max_human_error, limits.no_new_alarms or None)
    if all(value is None for value in asked):
        notes.append(
            "the checkpoint is not the recorded one and no limit is asked, so that this is a comparison "
            "only; see tolerance, max_mmd, max_human_error and no_new_alarms"
        )
    early = sum(lost.before for lost in report.lost)
    if early:
        notes.append(f"{early} chunks were computed from messages of before the recording")
    if gone := len(report.lost) - early + len(report.broken):
        notes.append(f"{gone} of {report.n_recorded} chunks are not reproducible")
    if assumed := sum(chunk.assumed for chunk in report.chunks):
        notes.append(f"{assumed} chunks do not name their messages, which were aligned again")
    if report.dropped:
        notes.append(f"the recorder lost {report.dropped} messages")
    return notes
