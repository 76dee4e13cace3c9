# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Executes action chunks or the operator's commands: merge, limit, arbitrate, interpolate; fails closed."""

import numpy as np

from lbm_policy_node.core.clock_guard import ClockGuard
from lbm_policy_node.core.execution.arbitration import Arbitration, ControlMode, PolicyState
from lbm_policy_node.core.execution.braking import Motion, motion_between
from lbm_policy_node.core.execution.chunk_plan import NO_CHUNK, ChunkPlan
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.executor_config import RESUME, ChunkExecutorConfig
from lbm_policy_node.core.execution.following import Following
from lbm_policy_node.core.execution.holding import Holding
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.human_turn import HumanTurn, with_teleop_notes
from lbm_policy_node.core.takeover.takeover import Takeover
from lbm_policy_node.core.types import ActionChunk, Array, read_only

_AGAIN_NS = 1_000_000_000
"""A stop button counts as pressed again when it has said nothing for longer than this."""


class ChunkExecutor:
    """Composes plan, limits, takeover and arbitration; takes the ROS clock, returns values, never raises.

    Leaving POLICY for whatever reason decelerates to rest and forgets the plan; only a new chunk, checked
    against where the robot is then, starts motion again. What the operator does arrives at `takeover`; the
    monitor's stop and resume are called on `arbitration`. Call everything from one thread.

    Attributes:
        arbitration: Decides who drives.
        takeover: The teleop sources.
        turn: What the newest tick said about them.
    """

    def __init__(
        self, spec: RobotSpec, config: ChunkExecutorConfig | None = None, *, control_enabled: bool = True
    ) -> None:
        """Start in HOLD with nothing to send.

        Args:
            spec: Layout and limits.
            config: How to merge and to stop.
            control_enabled: False in shadow mode: the robot gets no commands, so chunks are compared
                with the measured action instead of the last command.
        """
        self._spec = spec
        self._config = config or ChunkExecutorConfig()
        self._control_enabled = control_enabled
        self._limits = ActionLimits(spec)
        self._chunks = ChunkPlan(spec, self._limits, self._config, self._config.max_chunk_age_s)
        self._clock = ClockGuard()
        self._holding = Holding(spec, self._limits)
        self._following = Following(spec, self._limits, self._config.stop_s)
        self.arbitration = Arbitration(resume_after_release=self._config.after_takeover == RESUME)
        self.takeover = Takeover(spec, self._limits)
        self.turn = HumanTurn()
        has_feedback = [bool(block.feedback) for block in spec.action.blocks for _ in block.names]
        self._has_feedback = np.array(has_feedback)
        self._measured: Array | None = None
        self._driver = ControlMode.HOLD
        self._before = ControlMode.HOLD
        self._interruptions = 0
        self._released = False
        self._pressed = False
        self._pressed_ns: int | None = None
        self._announced: Plan | None = None
        self._lost = False

    @property
    def mode(self) -> ControlMode:
        """Who drives."""
        return self.arbitration.mode

    def on_policy_state(self, state: PolicyState, reason: Reason = OK) -> None:
        """Take the policy node's state, with why it is blocked or idle."""
        self.arbitration.on_policy_state(state, reason)

    def on_estop(self, pressed: bool, button: str = "estop") -> None:
        """Take the state of an emergency stop; pressing latches, and pressing again stops again."""
        self.arbitration.estop(pressed, button)
        if pressed:
            self._pressed = True
            self.takeover.end(Reason(ReasonCode.E_STOP, "the emergency stop ended the takeover"))

    def reset_estop(self) -> Reason | None:
        """Release the latch into HOLD; returns why that is refused."""
        return self.arbitration.reset_estop()

    def on_chunk(self, chunk: ActionChunk, now_ns: int) -> Reason | None:
        """Take a chunk into the plan; while the operator drives only to publish what the policy proposes.

        Returns:
            None, or why the whole chunk was refused; the plan before it stays valid until its end.
        """
        self._watch_clock(now_ns)
        if self.mode is ControlMode.HUMAN:
            return self._chunks.watch(chunk, now_ns)
        return self._chunks.take(chunk, now_ns, self._reference(now_ns))

    def on_refused_chunk(self, reason: Reason) -> None:
        """Remember why a chunk cannot be used, to say so when the plan ends; also for malformed messages."""
        self._chunks.refuse(reason)

    def tick(self, now_ns: int, measured: Array | Reason) -> Command:
        """Return the command of this control tick.

        Args:
            now_ns: The ROS clock.
            measured: From FeedbackReader: shape (action_dim,), NaN where nothing measures; or why not.
        """
        jumped = self._watch_clock(now_ns)
        feedback = self._take_feedback(measured)
        self._forget_command()
        self.turn = self._take_turn(now_ns)
        self._interrupt(now_ns)
        lost = self._check_following()
        reason = self.arbitration.decide(jumped or feedback or lost or self._chunks.state(now_ns))
        if self.mode is ControlMode.POLICY:
            reason = self._start(now_ns) if self._driver is not ControlMode.POLICY else reason
        plan, chunk_id = self._chunks.plan, self._chunks.chunk_id
        proposed = self._chunks.proposed(now_ns)
        if plan and proposed is not None and self.mode is ControlMode.POLICY:
            action, new_plan = proposed, self._drive(now_ns, plan, proposed)
            self.takeover.forget()
        elif self.turn.action is not None and self.mode is ControlMode.HUMAN:
            action, new_plan = self._follow(now_ns, self.turn.action), None
        else:
            action, new_plan = self._rest(now_ns), None
        self._before = self.mode
        reason = self._holding.not_obeyed or with_teleop_notes(reason, self.turn)
        return Command(
            _sent(action),
            self.mode,
            reason,
            chunk_id,
            _sent(proposed),
            new_plan,
            self.turn.source,
            self._holding.stop,
        )

    def _watch_clock(self, now_ns: int) -> Reason | None:
        if not self._clock.jumped_back(now_ns):
            return None
        jumped = Reason(ReasonCode.CLOCK_JUMPED, "the clock went back; plan and command were dropped")
        self._chunks.restart(jumped)
        self._following.restart()
        self._holding = Holding(self._spec, self._limits)
        self._pressed_ns = None
        self._driver, self._measured = ControlMode.HOLD, None
        self.takeover.end(jumped)
        return jumped

    def _take_turn(self, now_ns: int) -> HumanTurn:
        """Find out who holds a dead-man switch, and ask the arbitration for control, which may refuse."""
        drove = bool(self.turn.source)
        followed = self._measured if self._control_enabled else None
        turn = self.takeover.tick(now_ns, self._motion(now_ns), followed)
        refused = None
        if turn.source and not drove:
            refused = self.arbitration.take_over()
        elif turn.source and self.mode is not ControlMode.HUMAN:
            refused = Reason(ReasonCode.HUMAN_CONTROL, "the operator's control was ended")
        if refused:
            self.takeover.end(refused)
            turn = self.takeover.tick(now_ns, None)
        if drove and not turn.source:
            self.arbitration.hand_back(deliberate=turn.reason.ok)
        if turn.refused:
            text = f"the takeover was refused: {turn.reason.text}; resume or start again to go on"
            self.arbitration.pause(text)
        return turn

    def _interrupt(self, now_ns: int) -> None:
        """Handle stops and changes of control since the last tick, also those that are already over."""
        if self.arbitration.interruptions != self._interruptions:
            self._interruptions = self.arbitration.interruptions
            self._chunks.drop(NO_CHUNK)
            if not self.turn.source:  # else the motion goes on, as the operator drives it
                self._halt(now_ns, 0.0)
                self._released = True
        if self._pressed:
            self._press(now_ns)
        if self._before is ControlMode.HUMAN and self.mode is not ControlMode.HUMAN:
            self._chunks.begin(now_ns)
        self._forget_command()

    def _press(self, now_ns: int) -> None:
        """Stop again, where the robot is, when the button is pressed again after a stop was sent to its end.

        A device that repeats its state is not pressed again: that would drag a robot that is moved by hand.
        """
        before_ns, self._pressed_ns, self._pressed = self._pressed_ns, now_ns, False
        repeats = before_ns is not None and now_ns - before_ns <= _AGAIN_NS
        if repeats or self._holding.stop is not None or self._holding.command is None:
            return
        self._holding.drive(now_ns, self._reference(now_ns), first=True)
        self._holding.brake(now_ns, 0.0)

    def _forget_command(self) -> None:
        """After a stop, or while something else drives the robot: forget the last command."""
        if self._released and self.mode is not ControlMode.STOPPED:
            self._released = False
            self._holding.forget(end_stop=self.mode is ControlMode.HUMAN)

    def _take_feedback(self, measured: Array | Reason) -> Reason | None:
        if not isinstance(measured, Reason) and not self._is_complete(measured):
            measured = Reason(ReasonCode.FEEDBACK_MISSING, f"the measured action is incomplete: {measured}")
        if isinstance(measured, Reason):
            self._measured = None
            return measured
        self._measured = measured
        return None

    def _is_complete(self, measured: Array) -> bool:
        same = measured.shape == self._has_feedback.shape
        return same and bool(np.isfinite(measured[self._has_feedback]).all())

    def _check_following(self) -> Reason | None:
        """Drop the plan when the robot does not follow it; a new chunk then starts where the robot is."""
        if self._driver is not ControlMode.POLICY or not self._control_enabled or self._measured is None:
            return None
        lost = self._following.check(self._measured)
        if lost:
            self._chunks.drop(lost)
            self._lost = True
        return lost

    def _start(self, now_ns: int) -> Reason:
        refused = self._chunks.rejoin(now_ns, self._reference(now_ns))
        return self.arbitration.decide(refused) if refused else OK

    @property
    def _obeyed(self) -> bool:
        return self._control_enabled and self._holding.obeyed and not self._lost

    def _motion(self, now_ns: int) -> Motion | None:
        """Return what the operator takes over: the last command and its speed, else where the robot rests."""
        if self._obeyed:
            return self._holding.motion
        if self._measured is None:
            return None
        start = self._limits.layout.normalised(self._reference(now_ns)[None])[0]
        return motion_between(self._limits, now_ns, start, now_ns, start)

    def _reference(self, now_ns: int) -> Array:
        """Return where a motion starts: at the last command if the robot follows it, else at the robot."""
        command, proposed = self._holding.command, self._chunks.proposed(now_ns)
        unknown = np.full(self._spec.action_dim, np.nan)
        measured = unknown if self._measured is None else self._measured
        if self._driver is ControlMode.POLICY and self._control_enabled and proposed is not None:
            return proposed
        if command is None:
            return measured
        if self._obeyed and self._limits.check_start(measured, command) is None:
            return command
        return np.where(np.isnan(measured), command, measured)

    def _drive(self, now_ns: int, plan: Plan, action: Array) -> Plan | None:
        first = self._driver is not ControlMode.POLICY
        if first:
            self._following.restart()
        self._holding.drive(now_ns, action, first=first)
        self._following.note(now_ns, action)
        self._lost = False
        new_plan = None if plan is self._announced else plan
        self._driver, self._announced = ControlMode.POLICY, plan
        return new_plan

    def _follow(self, now_ns: int, action: Array) -> Array:
        starts_elsewhere = self._driver is not ControlMode.HUMAN and not self._obeyed
        self._holding.drive(now_ns, action, first=starts_elsewhere)
        self._driver, self._lost = ControlMode.HUMAN, False
        return action

    def _rest(self, now_ns: int) -> Array | None:
        self._halt(now_ns, self._config.stop_s)
        return self._holding.at(now_ns, self._measured if self._control_enabled else None)

    def _halt(self, now_ns: int, stop_s: float) -> None:
        driver, self._driver = self._driver, ControlMode.HOLD
        if driver is ControlMode.HOLD:
            return
        if driver is ControlMode.POLICY and self._chunks.plan:
            text = "no chunk has arrived since the robot came to hold"
            self._chunks.drop(Reason(ReasonCode.NO_CHUNK, text))
        self._holding.brake(now_ns, stop_s)


def _sent(action: Array | None) -> Array | None:
    return None if action is None else read_only(action)
