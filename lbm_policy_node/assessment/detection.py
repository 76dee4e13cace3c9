# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When a running statistic first passes its threshold, and how high it stood at a cut."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from lbm_policy_node.assessment.metrics import Share
from lbm_policy_node.core.types import Array


def peak(trace: Array, cut: int) -> float:
    """Return the statistic's maximum over the first `cut` replans; -inf when there is none yet."""
    return float(np.max(trace[:cut], initial=-inf))


def peaks(traces: Sequence[Array], cuts: Sequence[int]) -> Array:
    """Return each episode's maximum up to its cut, shape (episodes,)."""
    return np.array([peak(trace, cut) for trace, cut in zip(traces, cuts, strict=True)])


def detection_replan(trace: Array, threshold: float) -> int | None:
    """Return the first replan whose statistic lies above the threshold (from 0); None without alarm."""
    above = np.flatnonzero(np.asarray(trace) > threshold)
    return int(above[0]) if len(above) else None


def earliest(*replans: int | None) -> int | None:
    """Join the alarms of several detectors by OR: the earliest, None when none raised one."""
    raised = [replan for replan in replans if replan is not None]
    return min(raised) if raised else None


def flagged_before(detected: Sequence[int | None], deadlines: Sequence[int | float]) -> Share:
    """Count the episodes whose alarm came strictly before their deadline.

    Args:
        detected: Replan of the alarm per episode, None without one; usually of failures only.
        deadlines: Replan per episode, for example its last recoverable one.
    """
    early = [at is not None and at < by for at, by in zip(detected, deadlines, strict=True)]
    return Share(sum(early), len(early))
