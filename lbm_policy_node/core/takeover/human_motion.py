# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is commanded in the operator's turn: ramp, target, and rest while the dead-man switch is released."""

from lbm_policy_node.core.execution.braking import Brake, Motion, motion_between
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.takeover.leash import Leash
from lbm_policy_node.core.takeover.ramp import MAX_STEP_S, RAMP_NS, Ramp, limited_step
from lbm_policy_node.core.takeover.teleop_target import TeleopTarget
from lbm_policy_node.core.types import Array


class HumanMotion:
    """One turn, from takeover to hand-back; every step keeps the speed and position limits and the leash.

    Attributes:
        held_back: What the leash held back in the newest tick; empty while it does not bite.
    """

    def __init__(self, limits: ActionLimits, leash: Leash, now_ns: int, motion: Motion) -> None:
        """Begin at the last command and how it moves.

        Args:
            limits: Of the robot.
            leash: Of the robot.
            now_ns: The ROS clock.
            motion: The last command, finite; one that is old counts as at rest.
        """
        if not 0 < now_ns - motion.time_ns <= MAX_STEP_S * 1e9:
            motion = motion_between(limits, now_ns, motion.action, now_ns, motion.action)
        self.held_back = ""
        self._limits, self._leash = limits, leash
        self._last = motion
        self._brake = Brake(limits, motion, RAMP_NS / 1e9)
        self._ramp: Ramp | None = None
        self._target: TeleopTarget | None = None

    @property
    def target(self) -> TeleopTarget | None:
        """What is followed; None while at rest."""
        return self._target

    def follow(self, target: TeleopTarget, now_ns: int) -> None:
        """Ramp from the present motion to a source's target, which starts where that motion would end."""
        brake = Brake(self._limits, self._last, RAMP_NS / 1e9)
        target.take_over(now_ns, brake.at(brake.end_ns))
        self._ramp, self._target = Ramp(self._limits, brake.at, now_ns), target

    def rest(self) -> None:
        """Decelerate from the present motion; nothing is followed until the next follow()."""
        if self._target is not None:
            self._brake = Brake(self._limits, self._last, RAMP_NS / 1e9)
        self._ramp, self._target = None, None

    def at(self, now_ns: int, measured: Array | None) -> Array:
        """Return the command of this tick, shape (action_dim,).

        Args:
            now_ns: The ROS clock.
            measured: Where the robot is, shape (action_dim,), NaN where nothing measures it; None while that
                is not known: then nothing is held back.
        """
        desired = self._brake.at(now_ns)
        if self._target and self._ramp:
            desired = self._ramp.at(now_ns, self._target.at(now_ns))
        last, step_s = self._last, (now_ns - self._last.time_ns) / 1e9
        action = limited_step(self._limits, last.action, desired, step_s)
        held = self._leash.hold(last.action, action, measured)
        self.held_back = held.text
        if held.columns.any():
            action = limited_step(self._limits, last.action, held.action, step_s)
            if self._target:
                self._target.count_from(action, held.columns)
        if now_ns > last.time_ns:
            self._last = motion_between(self._limits, last.time_ns, last.action, now_ns, action)
        return action
