# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Notices that the robot does not follow the policy: stopped by its own safety, or held by something.

```
    |<--------------- reach -------------->|
 measured      command LAG ago          command  + way to rest
    |<-- more than half the reach -->|                           both: the robot does not follow
```

A controller's normal lag is no fault: a robot that is where the command was a moment ago follows, however
fast it moves. A fast command may therefore lead by half the reach and what it moves in LAG_NS and while it
stops, where that is more than the reach.
"""

from collections import deque

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.rotations import geodesic_angle
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

LAG_NS = 200_000_000
"""A robot may be where its command was so long ago: a slow controller, and the age of the measurement."""


class Following:
    """Compares the policy's commands with the measured robot. Not thread-safe.

    The reach of a column is its leash, or its start_jump where that is longer: a chunk may begin so far away.
    """

    def __init__(self, spec: RobotSpec, limits: ActionLimits, stop_s: float) -> None:
        """Start with no command.

        Args:
            spec: Layout and names.
            limits: Of the same.
            stop_s: How long the robot takes to come to rest when the policy is held.
        """
        self._limits, self._stop_s = limits, stop_s
        self._reach = np.full(spec.action_dim, np.inf)
        self._reach[limits.moving] = _reach(limits.leash, limits.start_jump)
        rotation = limits.rotation
        self._turn_reach = float(_reach(np.array(rotation.leash), np.array(rotation.start_jump)))
        self._units = [
            block.unit if not block.is_cartesian else "m" for block in spec.action.blocks for _ in block.names
        ]
        self._path: deque[tuple[int, Array]] = deque()

    def restart(self) -> None:
        """Forget the commands: what comes next begins where the robot is."""
        self._path.clear()

    def note(self, now_ns: int, command: Array) -> None:
        """Add a command that was sent, normalised, shape (action_dim,)."""
        self._path.append((now_ns, command))
        while len(self._path) > 1 and self._path[1][0] <= now_ns - LAG_NS:
            self._path.popleft()

    def check(self, measured: Array) -> Reason | None:
        """Return ROBOT_NOT_FOLLOWING when the command would be too far ahead of the robot, else None.

        Args:
            measured: Shape (action_dim,), NaN where nothing measures.
        """
        if not self._path:
            return None
        robot_at: Array = self._limits.layout.normalised(measured[None])[0]
        command = self._path[-1][1]
        leads = np.abs(command - robot_at)
        with np.errstate(invalid="ignore"):
            far = leads + self._way_to_rest() > self._reach
        return self._behind(far, leads, robot_at) if far.any() else self._turned(command, robot_at)

    def _way_to_rest(self) -> Array:
        """Return how far each column still moves when the policy is held in the next tick."""
        if len(self._path) < 2:
            return np.zeros(len(self._reach))
        (before_ns, before), (now_ns, now) = self._path[-2], self._path[-1]
        tick_s = max(now_ns - before_ns, 1) / 1e9
        return np.abs(now - before) * (1.0 + self._stop_s / 2 / tick_s)

    def _behind(self, far: Array, leads: Array, robot_at: Array) -> Reason | None:
        """Compare with the whole recent path: between two of its points a column is near both."""
        distances = np.abs(np.stack([command for _, command in self._path]) - robot_at).min(axis=0)
        lost = np.flatnonzero(far & (distances > self._reach / 2))
        if not lost.size:
            return None
        column = int(lost[np.argmax(leads[lost] / self._reach[lost])])
        text = f"{self._limits.names[column]} is {leads[column]:.3g} {self._units[column]} behind its command"
        return _not_following(f"{text}, limit {self._reach[column]:g}")

    def _turned(self, command: Array, robot_at: Array) -> Reason | None:
        for columns, read, _ in self._limits.layout.rotations:
            if np.isnan(robot_at[columns]).any():
                continue
            here = read(robot_at[columns])
            lead = geodesic_angle(read(command[columns]), here)
            if lead <= self._turn_reach:
                continue
            if min(geodesic_angle(read(c[columns]), here) for _, c in self._path) > self._turn_reach / 2:
                return _not_following(
                    f"the hand is turned {lead:.3g} rad less than commanded, limit {self._turn_reach:g}"
                )
        return None


def _reach(leash: Array, start_jump: Array) -> Array:
    return np.where(np.isfinite(start_jump), np.maximum(leash, start_jump), leash)


def _not_following(text: str) -> Reason:
    return Reason(
        ReasonCode.ROBOT_NOT_FOLLOWING,
        f"the robot does not follow: {text}; a new chunk from where it is starts again",
    )
