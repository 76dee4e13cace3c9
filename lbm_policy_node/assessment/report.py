# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation of a monitor as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ALPHA = "0.05"
_HEAD = (
    f"{'detector':<42}{'FAR':>6}{'TPR':>6}{'TNR':>6}{'BA':>6}{'AUROC':>7}{'matched':>9}{'early':>7}"
    f"{'in time':>9}{'DT':>6}"
)


def text(result: Mapping[str, Any]) -> str:
    """Format what summary.summarise returned, and what surrounds it in the JSON file."""
    parts = [_episodes(result)]
    for mode, section in result["modes"].items():
        parts += [f"\n== {mode.replace('_', ' ')} ==", _table(section), _against(section), _rescue(section)]
        parts += [_reliability(section)]
    parts += ["", _perturbations(result["modes"]["until_success"])]
    return "\n".join(parts)


def _episodes(result: Mapping[str, Any]) -> str:
    counts = result["modes"]["until_success"]["episodes"]
    return (
        f"checkpoint {result['checkpoint_id']}, {result['n_samples']} samples, horizon {result['horizon']}, "
        f"execution horizon {result['execution_horizon']}\n"
        f"{counts['calibration_solved']} solved episodes calibrate; {counts['test']} test episodes, of which "
        f"{counts['test_failed']} failed"
    )


def _table(section: Mapping[str, Any]) -> str:
    lines = [
        f"alpha {ALPHA}; FAR: false alarms on fresh undisturbed solved episodes; matched: AUROC with "
        "every episode",
        "cut at its task's shortest (mean over tasks); early: failures flagged before the median success "
        "time; in time:",
        "while the expert could still finish; DT: time of the alarm, share of the episode",
        _HEAD,
    ]
    for name, row in section["detectors"].items():
        at = row["at_alpha"][ALPHA]
        lines.append(
            f"{name:<42}{at['false_alarms_in_distribution']['rate']:>6.1%}{at['tpr']:>6.0%}{at['tnr']:>6.0%}"
            f"{at['balanced_accuracy']:>6.2f}{row['auroc']['end']['pooled']:>7.3f}"
            f"{row['auroc']['time_matched']['task_mean']:>9.3f}"
            f"{at['flagged_before_median_success']['rate']:>7.0%}"
            f"{at['flagged_while_recoverable']['rate']:>9.0%}{at['detection_time']:>6.2f}"
        )
    return "\n".join(lines)


def _against(section: Mapping[str, Any]) -> str:
    names = {"published_stac": section["published_stac"], "elapsed_time": "elapsed time"}
    lines = []
    for key, other in names.items():
        for measure, row in section["against"][key].items():
            low, high = row["interval_95"]
            lines.append(
                f"score against {other}: {measure.replace('_', ' ')} {row['first']:.3f} - "
                f"{row['second']:.3f} = {row['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
            )
    return "\n".join(lines)


def _rescue(section: Mapping[str, Any]) -> str:
    lines = []
    for alpha, limits in section["rescue"].items():
        for limit, row in limits.items():
            random, clock = row["mcnemar_random"], row["mcnemar_baseline"]
            lines.append(
                f"alpha {alpha}, expert takes over, {limit.replace('_', ' ')}: {row['rescued']} of "
                f"{row['recoverable_failures']} recoverable failures saved by {row['takeovers']} takeovers; "
                f"random {row['random_rescued_mean']:.1f} (p {random['p_value']:.2g}); elapsed time "
                f"{row['baseline_rescued']} by {row['baseline_takeovers']} (p {clock['p_value']:.2g})"
            )
    return "\n".join(lines)


def _reliability(section: Mapping[str, Any]) -> str:
    lines = []
    for name, row in section["reliability"].items():
        mean = ", ".join(f"{float(a):.0%}: {share:.1%}" for a, share in row["resplit_mean"].items())
        lines.append(f"{name}: false alarms over random re-splits of the solved episodes, {mean}")
    return "\n".join(lines)


def _perturbations(section: Mapping[str, Any]) -> str:
    lines = [f"{'disturbance':<20}{'kind':<17}{'failed':>9}{'flagged':>10}{'false alarms':>14}"]
    for name, row in section["perturbations"].items():
        flagged, false = row["flagged"], row["false_alarms"]
        lines.append(
            f"{name:<20}{row['kind']:<17}{row['failed']:>4}/{row['episodes']:<4}"
            f"{flagged['count']:>5}/{flagged['total']:<4}{false['count']:>8}/{false['total']:<5}"
        )
    return "\n".join(lines)
