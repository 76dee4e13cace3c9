# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One run of the policy: accepted or refused, timed, ended for exactly one reason (no ROS here)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from lbm_policy_node.core.episodes.operator_time import OperatorTime
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode

from .stop_watch import StopWatch

MAX_INSTRUCTION_CHARACTERS = 1000


class Termination(IntEnum):
    """Why a run ended; the numbers of ``TERMINATION_*`` in the result of lbm_msgs/action/RunPolicy."""

    SUCCEEDED = 1
    TIME_LIMIT = 2
    CANCELED = 3
    DEACTIVATED = 4
    POLICY_ERROR = 5
    E_STOP = 6
    MONITOR_STOP = 7
    CLOCK_JUMPED = 8
    FAILED = 9


@dataclass(frozen=True)
class Run:
    """A run in progress, or one that has ended.

    Attributes:
        number: Counts the runs of this process; answers to an earlier run are recognized by it.
        instruction: In force now.
        started_ns: ROS time of acceptance.
        time_limit_ns: ROS time it may take, the operator's time not counted; 0 for no limit.
        n_chunks: Chunks published for it.
        operator_time: How long the operator has had the robot during the run.
    """

    number: int
    instruction: str
    started_ns: int
    time_limit_ns: int
    n_chunks: int = 0
    operator_time: OperatorTime = field(default_factory=OperatorTime)

    def elapsed_s(self, now_ns: int) -> float:
        """Return the ROS time since acceptance, s, without the operator's time: a takeover pauses it."""
        return (now_ns - self.started_ns - self.operator_time.until(now_ns)) * 1e-9

    def remaining_s(self, now_ns: int) -> float:
        """Return the ROS time left, s; infinity without a limit."""
        return self.time_limit_ns * 1e-9 - self.elapsed_s(now_ns) if self.time_limit_ns else math.inf


@dataclass(frozen=True)
class Ending:
    """How a run ended: its last state, when, and why."""

    run: Run
    now_ns: int
    termination: Termination
    reason: Reason


def check_instruction(instruction: str) -> Reason:
    """Refuse an empty or a too long instruction; an empty one makes a policy move without a task."""
    if not instruction.strip():
        return Reason(ReasonCode.INSTRUCTION_INVALID, "the instruction is empty")
    if len(instruction) > MAX_INSTRUCTION_CHARACTERS:
        text = f"the instruction has {len(instruction)} characters; at most {MAX_INSTRUCTION_CHARACTERS}"
        return Reason(ReasonCode.INSTRUCTION_INVALID, text)
    return OK


class GoalHandler:
    """Holds at most one run; the action and the services both go through it."""

    def __init__(self, on_end: Callable[[Ending], None], *, monitor_stop_window_s: float = 30.0) -> None:
        """Start idle.

        Args:
            on_end: Called once per run, after ``run`` has become None.
            monitor_stop_window_s: Time after a stop by the monitor in which a takeover or resume saves the
                run; 0 for none.
        """
        self._on_end = on_end
        self._monitor_stop_window_s = monitor_stop_window_s
        self._stops = StopWatch()
        self._runs = 0
        self._operator_time = OperatorTime()
        self.enabled = False
        self.run: Run | None = None

    def check(self, instruction: str, time_limit_s: float) -> Reason:
        """Say why a run could not start now, without starting it."""
        if not self.enabled:
            return Reason(ReasonCode.NOT_ACTIVE, "the policy node is not active")
        if self.run is not None:
            return Reason(ReasonCode.BUSY, f"'{self.run.instruction}' is running; cancel it first")
        if not (math.isfinite(time_limit_s) and time_limit_s >= 0.0):
            return Reason(ReasonCode.REQUEST_INVALID, f"time_limit_s is {time_limit_s}; expected 0 or more")
        return check_instruction(instruction)

    def start(self, instruction: str, time_limit_s: float, now_ns: int) -> Reason:
        """Start a run, or say why not."""
        reason = self.check(instruction, time_limit_s)
        if reason.ok:
            self._runs += 1
            self._operator_time = self._operator_time.restarted(now_ns)
            self._stops = StopWatch()
            limit_ns = round(time_limit_s * 1e9)
            self.run = Run(
                self._runs, instruction.strip(), now_ns, limit_ns, operator_time=self._operator_time
            )
        return reason

    def set_instruction(self, instruction: str) -> Reason:
        """Change the instruction of the run; the next inference follows it."""
        if self.run is None:
            return Reason(ReasonCode.POLICY_NOT_RUNNING, "there is no run to change")
        reason = check_instruction(instruction)
        if reason.ok:
            self.run = replace(self.run, instruction=instruction.strip())
        return reason

    def rebase(self, jump_ns: int) -> None:
        """Keep the elapsed time of the run when the clock has jumped by ``jump_ns``."""
        self._operator_time = self._operator_time.rebased(jump_ns)
        self._stops = self._stops.rebased(jump_ns)
        if self.run is not None:
            started_ns = self.run.started_ns + jump_ns
            self.run = replace(self.run, started_ns=started_ns, operator_time=self._operator_time)

    def on_control(self, mode: int, code: int, stamp_ns: int) -> None:
        """Take a control tick: who drives and the code of the reason.

        The operator's time does not count; an emergency stop ends the run, and a stop by the monitor does
        when nobody took over or resumed within the window. A tick from before the run says nothing of it.
        """
        self._operator_time = self._operator_time.after(mode, code, stamp_ns)
        if self.run is None:
            return
        self.run = replace(self.run, operator_time=self._operator_time)
        if stamp_ns < self.run.started_ns:
            return
        self._stops = self._stops.after(mode, code, stamp_ns)
        if self._stops.stopped:
            reason = Reason(ReasonCode.E_STOP, "an emergency stop ended the run")
            self.end(Termination.E_STOP, stamp_ns, reason)
        elif self._stops.monitor_stop_over(self._monitor_stop_window_s):
            text = f"the monitor stopped the run; nobody took over within {self._monitor_stop_window_s:g} s"
            self.end(Termination.MONITOR_STOP, stamp_ns, Reason(ReasonCode.MONITOR_STOP, text))

    def count_chunk(self) -> None:
        """Count a published chunk of the run."""
        if self.run is not None:
            self.run = replace(self.run, n_chunks=self.run.n_chunks + 1)

    def check_time(self, now_ns: int) -> None:
        """End the run when its time is up."""
        if self.run is not None and self.run.remaining_s(now_ns) <= 0.0:
            self.end(Termination.TIME_LIMIT, now_ns)

    def end(self, termination: Termination, now_ns: int, reason: Reason = OK) -> Reason:
        """End the run, if there is one."""
        if self.run is None:
            return Reason(ReasonCode.POLICY_NOT_RUNNING, "there is no run to end")
        run, self.run = self.run, None
        self._on_end(Ending(run, now_ns, termination, reason))
        return OK
