# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What was learned by a calibration, for people."""

from collections.abc import Iterator

from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.thresholds import LEVELS, LevelThresholds


def summary(calibration: Calibration) -> Iterator[str]:
    """Say what was learned and what was left out, a line each."""
    layout, counts = calibration.layout, calibration.episodes
    yield (
        f"calibration {calibration.id} of checkpoint {calibration.checkpoint_id}: {counts.used} successes "
        f"until {counts.until}, K = {layout.n_samples}, horizon {layout.horizon}, "
        f"execution horizon {layout.execution_horizon}"
    )
    for name in LEVELS:
        yield from _level(name.upper(), calibration.levels[name], counts.used)
    if counts.failed:
        yield f"left out, {len(counts.failed)} failed: {', '.join(counts.failed)}"
    reasons: dict[str, list[str]] = {}
    for name, why in counts.unusable:
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield f"left out, {len(names)} unusable ({why}): {', '.join(names)}"


def _level(name: str, level: LevelThresholds, n: int) -> Iterator[str]:
    if not level.armed:
        yield (
            f"{name} (alpha {level.alpha:g}) is NOT ARMED: {n} successes, {level.episodes_needed} are "
            "needed; record more"
        )
        return
    for detector, entry in level.detectors.items():
        if not entry.armed:
            yield f"{name} (alpha {level.alpha:g}): {detector} is not armed, its share went to the others"
            continue
        low, high = entry.false_alarm_range
        yield (
            f"{name} (alpha {level.alpha:g}): {detector} above {entry.threshold:.4g}, number {entry.rank} of "
            f"{n}; at most {entry.alpha:.2%} false alarms on average, {low:.1%} to {high:.1%} for 90 % of "
            "calibrations"
        )
