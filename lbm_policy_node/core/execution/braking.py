# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Come to rest from a motion: constant deceleration, no jump in position."""

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.rotations import rotation_vector_between, turned
from lbm_policy_node.core.types import Array

REST_NS = 200_000_000
"""A stop goes on at rest for this long, so that its end lies ahead of a controller whose clock is ahead."""


@dataclass(frozen=True, eq=False)
class StopPoint:
    """One point of a stop.

    Attributes:
        after_ns: When it is due, from the moment at which the controller receives the stop.
        action: The command, shape (action_dim,).
        velocity: Per second, shape (action_dim,).
    """

    after_ns: int
    action: Array
    velocity: Array


@dataclass(frozen=True, eq=False)
class Motion:
    """A command and how fast it was changing.

    Attributes:
        time_ns: When it was sent.
        action: The command, shape (action_dim,).
        velocity: Per second, shape (action_dim,); 0 for held columns and rotations.
        spins: rad/s, one rotation vector per orientation of the layout.
    """

    time_ns: int
    action: Array
    velocity: Array
    spins: tuple[Array, ...]


def motion_between(
    limits: ActionLimits, before_ns: int, before: Array, time_ns: int, action: Array
) -> Motion:
    """Return the motion that two successive commands describe; at rest when no time lies between them."""
    step_s = (time_ns - before_ns) / 1e9
    velocity = np.zeros_like(action)
    rotations = limits.layout.rotations
    if step_s <= 0.0:
        return Motion(time_ns, action, velocity, tuple(np.zeros(3) for _ in rotations))
    moving = limits.moving
    velocity[moving] = (action[moving] - before[moving]) / step_s
    spins = tuple(
        rotation_vector_between(read(before[c]), read(action[c])) / step_s for c, read, _ in rotations
    )
    return Motion(time_ns, action, velocity, spins)


class Brake:
    """Decelerates all columns together in `duration_s`, longer where an acceleration limit asks for it.

    At a position or workspace limit the motion ends at once: staying inside matters more than smoothness.
    """

    def __init__(self, limits: ActionLimits, motion: Motion, duration_s: float) -> None:
        self._limits = limits
        self._motion = motion
        needed = np.abs(motion.velocity[limits.moving]) / limits.acceleration
        self.duration_s = max(duration_s, float(needed.max(initial=0.0)), 1e-6)
        spin = max((float(np.linalg.norm(spin)) for spin in motion.spins), default=0.0)
        self.duration_s = max(self.duration_s, spin / limits.rotation.acceleration)

    @property
    def end_ns(self) -> int:
        """When it is at rest."""
        return self._motion.time_ns + round(self.duration_s * 1e9)

    def at(self, time_ns: int) -> Array:
        """Return the command at an instant, shape (action_dim,)."""
        motion = self._motion
        elapsed_s = min(max((time_ns - motion.time_ns) / 1e9, 0.0), self.duration_s)
        travel_s = elapsed_s - elapsed_s**2 / (2.0 * self.duration_s)
        action = motion.action + travel_s * motion.velocity
        for (columns, read, write), spin in zip(self._limits.layout.rotations, motion.spins, strict=True):
            action[columns] = write(turned(read(motion.action[columns]), travel_s * spin))
        return self._limits.clamp(action, motion.action)

    def velocity_at(self, time_ns: int) -> Array:
        """Return the speed of the command, shape (action_dim,); 0 at a limit and for rotations."""
        motion = self._motion
        elapsed_s = (time_ns - motion.time_ns) / 1e9
        left = min(max(1.0 - elapsed_s / self.duration_s, 0.0), 1.0)
        travel_s = elapsed_s - elapsed_s**2 / (2.0 * self.duration_s)
        free = motion.action + travel_s * motion.velocity
        at_limit = self._limits.clamp(free, motion.action) != free
        return np.where(at_limit, 0.0, left * motion.velocity)

    def rest_of(self, now_ns: int, least_ns: int) -> list[StopPoint]:
        """Return the deceleration from now on, for controllers that take whole trajectories.

        ```
        now ------------------- 1/2 ------- 3/4 ------- rest ----- rest + REST_NS
        ```

        The points are few and the first is far away, because the controller joins them to where its motion
        is when it receives them, which is later than now by an unknown delay.

        Args:
            now_ns: The ROS clock.
            least_ns: The robot is at rest no sooner than this, however slow it is: a controller needs time to
                join its motion to the stop.
        """
        left_ns = self.end_ns - now_ns
        shares = (0.5, 0.75) if left_ns >= 2 * least_ns else ()
        points = [
            StopPoint(round(share * left_ns), self.at(at_ns), self.velocity_at(at_ns))
            for share in shares
            for at_ns in [now_ns + round(share * left_ns)]
        ]
        rest, rest_ns = self.at(self.end_ns), max(left_ns, least_ns)
        still = np.zeros_like(rest)
        return [*points, StopPoint(rest_ns, rest, still), StopPoint(rest_ns + REST_NS, rest, still)]
