# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Who drives: HOLD, POLICY, HUMAN or STOPPED.

```
              start, fresh chunk               take_over
    HOLD  <---------------------->  POLICY  ------------->  HUMAN
      ^    starvation, end, monitor                           |
      |                                                       | hand_back
      +-------------------------------------------------------+
      |  reset_estop                      estop
      +--------------------- STOPPED <------------ (from any mode)
```

After an emergency stop, an intervention or a stop by the monitor the policy does not go on by itself: it
takes `resume`, or a new goal (the policy's state leaves RUNNING and comes back). Where the operator has
chosen so (after_takeover: resume), a deliberate release of the dead-man switch counts as `resume`; a turn
that ended for any other reason does not, and after an emergency stop none does.
"""

from enum import IntEnum

from lbm_policy_node.core.reasons import OK, Reason, ReasonCode

WAITING = (ReasonCode.MONITOR_STOP, ReasonCode.E_STOP, ReasonCode.HUMAN_CONTROL)
"""The reasons of a HOLD that lasts until the operator resumes or a new goal starts."""


class ControlMode(IntEnum):
    """Who drives; the numbers of lbm_msgs/msg/ControlState."""

    HOLD = 0
    POLICY = 1
    HUMAN = 2
    STOPPED = 3


class PolicyState(IntEnum):
    """What the policy node is doing; the numbers of lbm_msgs/msg/PolicyStatus."""

    UNCONFIGURED = 0
    IDLE = 1
    RUNNING = 2
    BLOCKED = 3
    ERROR = 4


class Arbitration:
    """Decides the mode from latched events; knows nothing of actions and of time.

    Attributes:
        mode: Who drives.
        interruptions: Counts emergency stops and takeovers, so that none passes unseen between two ticks.
    """

    def __init__(self, *, resume_after_release: bool = False) -> None:
        """Start in HOLD.

        Args:
            resume_after_release: Whether the policy goes on when the operator hands back deliberately.
        """
        self.mode = ControlMode.HOLD
        self.interruptions = 0
        self._resume_after_release = resume_after_release
        self._estop_pressed: set[str] = set()
        self._estop_latched = False
        self._human = False
        self._waiting: Reason | None = None
        self._policy_state = PolicyState.UNCONFIGURED
        self._policy_reason = Reason(ReasonCode.POLICY_NOT_RUNNING, "no status of the policy has arrived")

    @property
    def waiting(self) -> bool:
        """Whether the policy may drive only after `resume` or a new goal."""
        return self._waiting is not None

    def estop(self, pressed: bool, button: str = "estop") -> None:
        """Take the state of one of the stop buttons; pressing latches, releasing does not reset."""
        (self._estop_pressed.add if pressed else self._estop_pressed.discard)(button)
        if pressed:
            self.interruptions += not self._estop_latched
            self._estop_latched = True
            self._human = False
            self._waiting = Reason(ReasonCode.E_STOP, "the stop was reset; resume or start again to go on")
            self.mode = ControlMode.STOPPED

    def reset_estop(self) -> Reason | None:
        """Leave STOPPED for HOLD; refused while the button is pressed."""
        if self._estop_pressed:
            names = ", ".join(sorted(self._estop_pressed))
            return Reason(ReasonCode.ESTOP_STILL_PRESSED, f"release the stop button first: {names}")
        if self._estop_latched:
            self._estop_latched = False
            self.mode = ControlMode.HOLD
        return None

    def take_over(self) -> Reason | None:
        """Let the operator drive; refused while the emergency stop is latched."""
        if self._estop_latched:
            return Reason(ReasonCode.E_STOP, "the emergency stop is latched")
        self.interruptions += 1
        self._human = True
        if self._waiting is None or self._waiting.code != ReasonCode.E_STOP:
            self._waiting = Reason(ReasonCode.HUMAN_CONTROL, "handed back; resume or start again to go on")
        self.mode = ControlMode.HUMAN
        return None

    def hand_back(self, *, deliberate: bool = False) -> None:
        """End the intervention: HOLD; after a deliberate release the policy may go on, if so configured."""
        if not self._human:
            return
        self._human = False
        self.mode = ControlMode.HOLD
        stopped = self._waiting is not None and self._waiting.code == ReasonCode.E_STOP
        if deliberate and self._resume_after_release and not stopped:
            self._waiting = None

    def pause(self, text: str) -> None:
        """Hold because the operator tried to take over and could not, until resume or a new goal."""
        if self._waiting is None:
            self._waiting = Reason(ReasonCode.HUMAN_CONTROL, text)

    def monitor_stop(self, text: str) -> None:
        """Hold because the monitor asks for it, until resume or a new goal."""
        if self._waiting is None:
            self._waiting = Reason(ReasonCode.MONITOR_STOP, text)

    def resume(self) -> Reason | None:
        """Let the policy go on after a stop; refused while stopped or while the operator drives."""
        if self._estop_latched:
            return Reason(ReasonCode.E_STOP, "the emergency stop is latched")
        if self._human:
            return Reason(ReasonCode.HUMAN_CONTROL, "the operator drives")
        self._waiting = None
        return None

    def on_policy_state(self, state: PolicyState, reason: Reason) -> None:
        """Take the policy's state; a new goal ends a waiting HOLD as resume does."""
        ran = self._policy_state in (PolicyState.RUNNING, PolicyState.BLOCKED)
        runs = state in (PolicyState.RUNNING, PolicyState.BLOCKED)
        if runs and not ran and not self._estop_latched and not self._human:
            self._waiting = None
        self._policy_state, self._policy_reason = state, reason

    def decide(self, plan: Reason) -> Reason:
        """Set the mode of this tick.

        Args:
            plan: OK while there is something to execute, else why not.

        Returns:
            Why the mode is what it is; OK only in POLICY.
        """
        if self._estop_latched:
            return self._set(ControlMode.STOPPED, Reason(ReasonCode.E_STOP, "the emergency stop is latched"))
        if self._human:
            return self._set(ControlMode.HUMAN, Reason(ReasonCode.HUMAN_CONTROL, "the operator drives"))
        if self._waiting is not None:
            return self._set(ControlMode.HOLD, self._waiting)
        if self._policy_state not in (PolicyState.RUNNING, PolicyState.BLOCKED):
            return self._set(ControlMode.HOLD, self._not_running())
        if plan.ok:
            return self._set(ControlMode.POLICY, OK)
        return self._set(ControlMode.HOLD, self._starved(plan))

    def _set(self, mode: ControlMode, reason: Reason) -> Reason:
        self.mode = mode
        return reason

    def _not_running(self) -> Reason:
        if not self._policy_reason.ok:
            return self._policy_reason
        return Reason(ReasonCode.POLICY_NOT_RUNNING, f"the policy is {self._policy_state.name}")

    def _starved(self, plan: Reason) -> Reason:
        blocked = self._policy_state == PolicyState.BLOCKED and not self._policy_reason.ok
        return self._policy_reason if blocked and plan.code in _STARVATION else plan


_STARVATION = (ReasonCode.NO_CHUNK, ReasonCode.CHUNK_STALE)
