# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When the scripted operator takes over: the monitor stopped the robot, time is up, or a request."""

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.sim.operator.operator_settings import OperatorSettings


class OperatorTriggers:
    """The triggers of one scene; make another for the next, so that nothing of the old one triggers there."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Begin with a stop that lasts from the scene before counting for nothing."""
        self._settings = settings
        self._stop, self._stop_is_new = False, False
        self._began_ns: int | None = None
        self._was_late = False
        self._requested = False

    def on_control(self, mode: ControlMode, code: int, now_ns: int) -> None:
        """Take who drives and why (a ReasonCode)."""
        self._stop = mode is ControlMode.HOLD and code == ReasonCode.MONITOR_STOP
        if not self._stop:
            self._stop_is_new = True
        if mode is ControlMode.POLICY and self._began_ns is None:
            self._began_ns = now_ns

    def on_request(self, take_over: bool) -> None:
        """Take a request to take over, or to stop waiting for one."""
        self._requested = take_over

    def take(self, now_ns: int, *, solved: bool) -> bool:
        """Return whether to take over now; each cause counts once.

        Args:
            now_ns: The ROS clock.
            solved: Whether there is nothing left to do; only a request counts then.
        """
        if self._requested:
            self._requested = False
            return True
        return not solved and (self._take_stop() or self._take_lateness(now_ns))

    def _take_stop(self) -> bool:
        if not (self._settings.on_monitor_stop and self._stop and self._stop_is_new):
            return False
        self._stop_is_new = False
        return True

    def _take_lateness(self, now_ns: int) -> bool:
        if self._began_ns is None or self._was_late:
            return False
        self._was_late = (now_ns - self._began_ns) / 1e9 >= self._settings.takeover_after_s  # False for NaN
        return self._was_late
