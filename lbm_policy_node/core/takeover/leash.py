# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the operator's command near the robot: a hand that is stuck does not leap when it comes free.

```
    |<------- leash ------->|
 measured                command        the stick pushes on: the command stays
         measured         command       the stick pulls back, or the hand moves on: the command moves at once
```

Only going farther away is held back; what is too far off already is never pulled towards the robot, so the
leash moves nothing by itself.
"""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.rotations import geodesic_angle, slerp
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

_SLACK = 1.0 + 1e-9
"""What is at the end of its leash must not be held back by rounding."""


@dataclass(frozen=True, eq=False)
class Held:
    """What the leash makes of a command.

    Attributes:
        action: The command, shape (action_dim,).
        columns: Which columns were held back, bool, shape (action_dim,).
        text: For the operator; empty while nothing was held back.
    """

    action: Array
    columns: Array
    text: str = ""


class Leash:
    """The largest distance of the operator's command from the measured robot, per column and orientation."""

    def __init__(self, spec: RobotSpec, limits: ActionLimits) -> None:
        self._limits = limits
        self._reach = np.full(spec.action_dim, np.inf)
        self._reach[limits.moving] = limits.leash
        self._labels = [
            ("the hand", "m") if block.is_cartesian else (f"'{name}'", block.unit)
            for block in spec.action.blocks
            for name in block.names
        ]

    def hold(self, before: Array, desired: Array, measured: Array | None) -> Held:
        """Hold back what would go farther from the robot than the leash.

        Args:
            before: The last command, normalised, shape (action_dim,).
            desired: The next one, normalised, shape (action_dim,).
            measured: Where the robot is, shape (action_dim,), NaN where nothing measures it; or None.
        """
        if measured is None:
            return Held(desired, np.zeros(desired.shape, dtype=bool))
        robot_at: Array = self._limits.layout.normalised(measured[None])[0]
        low, high = robot_at - self._reach, robot_at + self._reach
        action = np.clip(desired, np.fmin(low, before), np.fmax(high, before))
        action = np.where(np.isnan(robot_at), desired, action)
        columns = action != desired
        text = self._text(columns, np.abs(action - robot_at))
        for turned, read, write in self._limits.layout.rotations:
            if np.isnan(robot_at[turned]).any():
                continue
            held = self._turn(read(before[turned]), read(desired[turned]), read(robot_at[turned]))
            if held is not None:
                action[turned], columns[turned] = write(held), True
                angle = geodesic_angle(held, read(robot_at[turned]))
                text = text or f"the hand is turned {angle:.2f} rad less than its target: held back"
        return Held(action, columns, text)

    def _turn(self, before: Array, desired: Array, measured: Array) -> Array | None:
        """Return the allowed orientation nearest to the desired one; None where that one is allowed."""
        allowed = max(self._limits.rotation.leash, geodesic_angle(measured, before))
        angle = geodesic_angle(measured, desired)
        if angle <= allowed * _SLACK:
            return None
        return slerp(measured, desired, allowed / angle)

    def _text(self, columns: Array, leads: Array) -> str:
        """Name the column that uses its leash up most."""
        if not columns.any():
            return ""
        column = int(np.argmax(np.where(columns, leads / self._reach, -np.inf)))
        name, unit = self._labels[column]
        return f"{name} is {leads[column]:.2f} {unit} behind its target: held back"
