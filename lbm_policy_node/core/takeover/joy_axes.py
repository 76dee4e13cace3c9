# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How far an axis of a Joy message is from where it rests: a stick rests at 0, many triggers at 1."""

import math
from collections.abc import Sequence

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.teleop_sources import DeadManSpec


def read_axis(axis: int, axes: Sequence[float], topic: str) -> float | Reason:
    """Return the value of an axis, or why there is none: too few axes, or a number that is not finite."""
    if axis >= len(axes):
        text = f"the spec maps axis {axis}, {topic} has {len(axes)} axes"
        return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
    value = float(axes[axis])
    if not math.isfinite(value):
        return Reason(ReasonCode.OBSERVATION_NON_FINITE, f"axis {axis} of {topic} is {value}")
    return value


def deflection_from(rest: float, value: float) -> float:
    """Return the share of the way from rest to the end of the axis, -1 to 1.

    Args:
        rest: What the axis reports when nobody touches it, -1 to 1.
        value: What it reports now; beyond -1 or 1 it counts as at that end.

    Returns:
        Positive where the value is larger than at rest, 1 or -1 at the end, whatever the rest is.
    """
    moved = min(max(value, -1.0), 1.0) - rest
    way = 1.0 - rest if moved > 0.0 else 1.0 + rest
    return moved / way if moved else 0.0


def is_pressed(switch: DeadManSpec, value: float) -> bool:
    """Return whether the axis of a dead-man switch is pressed as far as its threshold."""
    deflection = deflection_from(switch.rest, value)
    return (-deflection if switch.rest > 0.0 else deflection) >= switch.threshold


def value_at(rest: float, deflection: float) -> float:
    """Return what an axis reports at a deflection (-1 to 1); at rest where it has no way to that side."""
    way = 1.0 - rest if deflection > 0.0 else 1.0 + rest
    return rest + deflection * way
