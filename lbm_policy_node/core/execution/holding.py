# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is commanded while nobody drives: decelerate, repeat the rest until the robot stands, then nothing."""

from lbm_policy_node.core.execution.braking import Brake, Motion, motion_between
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.standstill import StandstillWatch
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

SETTLE_NS = 500_000_000
"""The rest is repeated for at least this long, and for no longer where nothing measures the robot. When it
stands, nothing is sent any more, so that a robot moved by something else is not dragged back."""


class Holding:
    """Remembers the last command and how it was moving, and whether the robot obeys a stop.

    Attributes:
        command: The last command, shape (action_dim,); None before the first.
        obeyed: Whether the robot can be expected at the command; False after something else has moved it.
        stop: The deceleration that is being sent; None when none is.
        not_obeyed: STOP_NOT_OBEYED while the robot moves although it should stand.
    """

    def __init__(self, spec: RobotSpec, limits: ActionLimits) -> None:
        self._limits = limits
        self._watch = StandstillWatch(spec, limits)
        self._motion: Motion | None = None
        self.command: Array | None = None
        self.obeyed = False
        self.stop: Brake | None = None
        self.not_obeyed: Reason | None = None

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
        self._end_stop()
        self.command, self.obeyed = action, True

    def brake(self, now_ns: int, stop_s: float) -> None:
        """Begin to decelerate from the last command."""
        if self._motion is None:
            return
        self.stop, self.not_obeyed = Brake(self._limits, self._motion, stop_s), None
        self._watch.begin(now_ns, self.stop.duration_s)

    def forget(self, *, end_stop: bool) -> None:
        """Something else may move the robot: the last command no longer says where it is.

        Args:
            end_stop: Whether something else drives by now; else a stop that is not obeyed yet goes on.
        """
        self.obeyed = False
        if end_stop:
            self._end_stop()

    def at(self, now_ns: int, measured: Array | None = None) -> Array | None:
        """Return the command while at rest or coming to rest; None when there is nothing to send.

        Args:
            now_ns: The ROS clock.
            measured: Where the robot is, shape (action_dim,), NaN where nothing measures; None if unknown.
        """
        if self.stop is None:
            return None
        self._watch.update(now_ns, measured)
        self.not_obeyed = self._watch.not_obeyed(now_ns)
        if now_ns > self.stop.end_ns + SETTLE_NS and not self._watch.moving:
            self._end_stop()
            self.obeyed = False  # nothing holds the robot here any more
            return None
        self.command = self.stop.at(now_ns)
        before = self._motion
        if before is not None and now_ns > before.time_ns:
            self._motion = motion_between(self._limits, before.time_ns, before.action, now_ns, self.command)
        return self.command

    def _end_stop(self) -> None:
        self.stop, self.not_obeyed = None, None
