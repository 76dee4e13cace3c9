# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Who drove at an instant of an episode, what was commanded then, and what the policy proposed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array
from lbm_policy_node.data.episodes.episode_records import ControlTicks

_DRIVEN = (ControlMode.POLICY, ControlMode.HUMAN)
_GAP_TICKS = 3


class Driving(Enum):
    """Whether an instant can become a step."""

    DRIVEN = "driven"
    PAUSED = "paused"
    SHADOW = "shadow"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Moment:
    """An instant.

    Attributes:
        driving: Whether the policy or the operator drove; the rest means something only then.
        mode: Who.
        executed: The command due then, (action_dim,).
        proposed: What the policy proposed for then, (action_dim,); None where it proposed nothing.
    """

    driving: Driving
    mode: ControlMode = ControlMode.HOLD
    executed: Array | None = None
    proposed: Array | None = None


class ActionTimeline:
    """Between control ticks of one mode it interpolates as the executor does.

    Nothing is carried on for longer than three control periods, nor beyond the last tick.
    """

    def __init__(self, spec: RobotSpec, ticks: ControlTicks) -> None:
        self._ticks, self._layout = ticks, ActionLayout(spec.action)
        self._gap_ns = round(_GAP_TICKS * 1e9 / spec.control_rate_hz)

    def at(self, time_ns: int) -> Moment:
        """Return what happened at an instant of ROS time."""
        ticks = self._ticks
        at = int(np.searchsorted(ticks.stamps_ns, time_ns, side="right")) - 1
        if at < 0 or time_ns > ticks.stamps_ns[-1] or time_ns - ticks.stamps_ns[at] > self._gap_ns:
            return Moment(Driving.UNKNOWN)
        mode = ControlMode(int(ticks.modes[at]))
        executed = self._value(ticks.executed, at, time_ns)
        if mode not in _DRIVEN or executed is None:
            return Moment(Driving.PAUSED)
        if not ticks.enabled[at]:
            return Moment(Driving.SHADOW)
        return Moment(Driving.DRIVEN, mode, executed, self._value(ticks.proposed, at, time_ns))

    def _value(self, rows: Array, at: int, time_ns: int) -> Array | None:
        ticks, row = self._ticks, rows[at]
        if not np.isfinite(row).all():
            return None
        if at + 1 == len(ticks) or ticks.modes[at + 1] != ticks.modes[at]:
            return row
        if not np.isfinite(rows[at + 1]).all():
            return row
        start_ns, end_ns = ticks.stamps_ns[at], ticks.stamps_ns[at + 1]
        if end_ns - start_ns > self._gap_ns or end_ns == start_ns:
            return row
        return self._layout.interpolate(row, rows[at + 1], float((time_ns - start_ns) / (end_ns - start_ns)))
