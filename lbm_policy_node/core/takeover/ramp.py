# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From the last command to a moving target: a short ramp, then steps within the velocity limits.

```
 weight of the target            the start brakes to rest,
 1 |            .--------        the target moves on;
   |         .'                  at takeover the weight and its slope are 0,
   |      .'                     so neither position nor speed jumps
 0 |__.-'
   takeover     0.25 s
```
"""

from collections.abc import Callable

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.rotations import geodesic_angle, slerp
from lbm_policy_node.core.types import Array

RAMP_NS = 250_000_000
"""Duration of the hand-over; 0.2 to 0.3 s is too short to feel and too long for a jolt."""

MAX_STEP_S = 0.1
"""A control loop that was held up catches up at the speed limit for no longer than this."""


def smoothstep(fraction: float) -> float:
    """Return 3 f^2 - 2 f^3 of a fraction clipped to 0..1: slope 0 at both ends."""
    f = min(max(fraction, 0.0), 1.0)
    return f * f * (3.0 - 2.0 * f)


class Ramp:
    """Blends one hand-over; linear in columns, slerp in orientations; binary grippers switch at once."""

    def __init__(self, limits: ActionLimits, start: Callable[[int], Array], start_ns: int) -> None:
        """Begin.

        Args:
            limits: Speeds, and which columns turn or switch.
            start: What is commanded at a time without a takeover, shape (action_dim,).
            start_ns: The moment of takeover.
        """
        self._limits = limits
        self._start = start
        self._start_ns = start_ns

    def at(self, now_ns: int, target: Array) -> Array:
        """Return the blend at an instant; the target itself once the ramp is over.

        Args:
            now_ns: The ROS clock.
            target: Where the operator moves the robot now, normalised, shape (action_dim,).
        """
        weight = smoothstep((now_ns - self._start_ns) / RAMP_NS)
        if weight >= 1.0:
            return target
        blended = self._limits.layout.interpolate(self._start(now_ns), target, weight).copy()
        held = self._limits.layout.held
        blended[held] = target[held]
        return blended


def limited_step(limits: ActionLimits, before: Array, desired: Array, step_s: float) -> Array:
    """Move from one command towards another as far as the speed and position limits allow.

    Args:
        limits: Of the robot.
        before: The last command, shape (action_dim,).
        desired: The next one, shape (action_dim,), finite.
        step_s: Time between them; at 0 or less nothing moves.

    Returns:
        The next command; a command that was outside the position limits already is not pushed back.
    """
    if step_s <= 0.0:
        return before
    step_s = min(step_s, MAX_STEP_S)
    action, moving = desired.copy(), limits.moving
    reach = limits.velocity * step_s
    action[moving] = before[moving] + np.clip(desired[moving] - before[moving], -reach, reach)
    for columns, read, write in limits.layout.rotations:
        start, end = read(before[columns]), read(desired[columns])
        angle = geodesic_angle(start, end)
        if angle > limits.rotation.velocity * step_s:
            action[columns] = write(slerp(start, end, limits.rotation.velocity * step_s / angle))
    return limits.clamp(action, before)
