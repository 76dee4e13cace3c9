# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels of recorded steps: who drove, and the classes of Sirius (arXiv:2211.08416) derived from that.

```
mode     0 0 0 0 0 0 0 1 1 1 0 0 1 1 0      -1 demonstration, 0 robot, 1 human
class    r r r r p p p i i i p p i i r      p: robot step within the window before an intervention
                 |<-w->|
```

Only who drove is recorded; classes are derived at export, so that the rule can change without re-recording.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from lbm_policy_node.core.types import Array

PRE_INTERVENTION_S = 0.75
"""Sirius relabels 15 steps at 20 Hz; a time holds at every rate."""


class StepMode(IntEnum):
    """Who drove a recorded step; the numbers of the dataset column `control_mode`."""

    DEMO = -1
    ROBOT = 0
    HUMAN = 1


class StepClass(IntEnum):
    """Class of a step for weighting; the numbers that Sirius' datasets use."""

    PRE_INTERVENTION = -10
    DEMO = -1
    ROBOT = 0
    INTERVENTION = 1


def interventions(modes: Array) -> Array:
    """Return where the operator corrected the robot, bool (T,): the column `intervention`.

    Args:
        modes: A `StepMode` per step, integers (T,). Demonstrations are no interventions.

    Raises:
        ValueError: If a mode is unknown.
    """
    return _checked_modes(modes) == StepMode.HUMAN


def step_classes(modes: Array, stamps_ns: Array, *, window_s: float = PRE_INTERVENTION_S) -> Array:
    """Derive the class of each step of one episode.

    The robot steps at most `window_s` before the start of an intervention become PRE_INTERVENTION, going
    back no further than to the intervention before. Human and demonstration steps keep their class.

    Args:
        modes: A `StepMode` per step, integers (T,).
        stamps_ns: When each step happened, integers (T,), ascending. Only differences count.
        window_s: Robot steps up to this long before an intervention are pre-intervention; the bound counts.

    Returns:
        A `StepClass` per step, int8 (T,).

    Raises:
        ValueError: If a mode is unknown, stamps do not ascend, shapes differ, or the window is negative.
    """
    modes, stamps_ns = _checked_modes(modes), _checked_stamps(stamps_ns)
    if modes.shape != stamps_ns.shape:
        raise ValueError(f"{modes.size} modes need as many stamps, got {stamps_ns.size}")
    if not (math.isfinite(window_s) and window_s >= 0):
        raise ValueError(f"window_s must be a finite number of at least 0 s, is {window_s}")
    human = np.flatnonzero(modes == StepMode.HUMAN)
    following = np.searchsorted(human, np.arange(modes.size))
    robot = np.flatnonzero((modes == StepMode.ROBOT) & (following < human.size))
    # No human step lies between a robot step and the next human one, so that one starts an intervention,
    # and an earlier intervention is never looked past.
    ahead_ns = stamps_ns[human[following[robot]]] - stamps_ns[robot]
    classes = modes.astype(np.int8)
    classes[robot[ahead_ns <= round(window_s * 1e9)]] = StepClass.PRE_INTERVENTION
    return classes


def _checked_modes(modes: Array) -> Array:
    modes = np.asarray(modes)
    known = [int(mode) for mode in StepMode]
    if modes.ndim != 1 or not np.isin(modes, known).all():
        wrong = np.setdiff1d(modes, known)[:5].tolist()
        raise ValueError(f"control modes must be a vector of {known}, have shape {modes.shape} and {wrong}")
    return modes


def _checked_stamps(stamps_ns: Array) -> Array:
    stamps_ns = np.asarray(stamps_ns)
    if stamps_ns.ndim != 1 or (stamps_ns.size and stamps_ns.dtype.kind not in "iu"):
        raise ValueError(f"stamps must be integers (T,), ns, are {stamps_ns.dtype} {stamps_ns.shape}")
    stamps_ns = stamps_ns.astype(np.int64)
    back = np.flatnonzero(np.diff(stamps_ns) <= 0)
    if back.size:
        before, after = stamps_ns[back[0]], stamps_ns[back[0] + 1]
        raise ValueError(f"stamps of one episode must ascend; step {back[0] + 1} has {after} after {before}")
    return stamps_ns
