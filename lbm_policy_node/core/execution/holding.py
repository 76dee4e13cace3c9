# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is commanded while nobody drives: decelerate, repeat the command at rest for a while, then nothing."""

from lbm_policy_node.core.execution.braking import Brake, Motion, motion_between
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.types import Array

SETTLE_NS = 500_000_000
"""After this nothing is sent any more, so that a robot moved by something else is not dragged back."""


class Holding:
    """Remembers the last command and how it was moving.

    Attributes:
        command: The last command, shape (action_dim,); None before the first.
        obeyed: Whether the robot can be expected at the command; False after something else has moved it.
    """

    def __init__(self, limits: ActionLimits) -> None:
        self._limits = limits
        self._motion: Motion | None = None
        self._brake: Brake | None = None
        self.command: Array | None = None
        self.obeyed = False

    @property
    def motion(self) -> Motion | None:
        """The last command and how it was moving; None before the first."""
        return self._motion

    def drive(self, now_ns: int, action: Array, *, first: bool) -> None:
        """Note a command of the policy or of the operator; the first one from elsewhere has no speed yet."""
        before = self._motion
        if before is None or first:
            self._motion = motion_between(self._limits, now_ns, action, now_ns, action)
        elif now_ns > before.time_ns:
            self._motion = motion_between(self._limits, before.time_ns, before.action, now_ns, action)
        self._brake, self.command, self.obeyed = None, action, True

    def brake(self, stop_s: float) -> Plan | None:
        """Begin to decelerate from the last command; returns the motion to rest."""
        if self._motion is None:
            return None
        self._brake = Brake(self._limits, self._motion, stop_s)
        return self._brake.plan()

    def release(self) -> None:
        """Something else moves the robot: the last command no longer says where it is."""
        self._brake, self.obeyed = None, False

    def at(self, now_ns: int) -> Array | None:
        """Return the command while at rest or coming to rest; None when there is nothing to send."""
        if self._brake is None:
            return None
        if now_ns > self._brake.end_ns + SETTLE_NS:
            self.obeyed = False  # nothing holds the robot here any more
            return None
        self.command = self._brake.at(now_ns)
        before = self._motion
        if before is not None and now_ns > before.time_ns:
            self._motion = motion_between(self._limits, before.time_ns, before.action, now_ns, self.command)
        return self.command
