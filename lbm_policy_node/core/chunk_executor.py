# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Executes action chunks: merge, limit, arbitrate, interpolate; fails closed."""

from dataclasses import dataclass, field

import numpy as np

from lbm_policy_node.core.arbitration import Arbitration, ControlMode, PolicyState
from lbm_policy_node.core.chunk_buffer import ChunkBuffer, ChunkBufferConfig
from lbm_policy_node.core.clock_guard import ClockGuard
from lbm_policy_node.core.command import Command
from lbm_policy_node.core.holding import Holding
from lbm_policy_node.core.limits import ActionLimits
from lbm_policy_node.core.plan import Plan
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array, read_only

_NO_CHUNK = Reason(ReasonCode.NO_CHUNK, "no chunk has arrived")


@dataclass(frozen=True)
class ChunkExecutorConfig(ChunkBufferConfig):
    """How chunks are merged, when they are too old, and how the robot comes to rest."""

    max_chunk_age_s: float = field(
        default=2.0,
        metadata={
            "description": "Age of the observation behind a chunk after which it is not executed further, s.",
            "low": 0.01,
            "high": 60.0,
        },
    )
    stop_s: float = field(
        default=0.2,
        metadata={
            "description": "Duration of the deceleration to hold, s; longer where limits ask for it.",
            "low": 0.0,
            "high": 5.0,
        },
    )


class ChunkExecutor:
    """Composes buffer, limits and arbitration; takes the ROS clock, returns values, never raises.

    Leaving POLICY for whatever reason decelerates to rest and forgets the plan; only a new chunk, checked
    against where the robot is then, starts motion again. Takeover, the monitor's stop and resume are called
    on `arbitration`. Call everything from one thread.
    """

    def __init__(
        self, spec: RobotSpec, config: ChunkExecutorConfig | None = None, *, control_enabled: bool = True
    ) -> None:
        """Start in HOLD with nothing to send.

        Args:
            spec: Layout and limits.
            config: How to merge and to stop.
            control_enabled: False in shadow mode: nobody carries the commands out, so chunks are compared
                with the measured action instead of the last command.
        """
        self.arbitration = Arbitration()
        self._spec = spec
        self._config = config or ChunkExecutorConfig()
        self._control_enabled = control_enabled
        self._limits = ActionLimits(spec)
        self._layout = self._limits.layout
        self._buffer = ChunkBuffer(self._limits, self._config)
        self._clock = ClockGuard()
        self._holding = Holding(self._limits)
        has_feedback = [bool(block.feedback) for block in spec.action.blocks for _ in block.names]
        self._has_feedback = np.array(has_feedback)
        self._measured: Array | None = None
        self._driving = False
        self._interruptions = 0
        self._released = False
        self._refused: Reason | None = None
        self._no_plan = _NO_CHUNK
        self._announced: Plan | None = None

    @property
    def mode(self) -> ControlMode:
        """Who drives."""
        return self.arbitration.mode

    def on_policy_state(self, state: PolicyState, reason: Reason = OK) -> None:
        """Take the policy node's state, with why it is blocked or idle."""
        self.arbitration.on_policy_state(state, reason)

    def on_estop(self, pressed: bool) -> None:
        """Take the state of the emergency stop; pressing latches."""
        self.arbitration.estop(pressed)

    def reset_estop(self) -> Reason | None:
        """Release the latch into HOLD; returns why that is refused."""
        return self.arbitration.reset_estop()

    def on_chunk(self, chunk: ActionChunk, now_ns: int) -> Reason | None:
        """Take a chunk into the plan.

        Returns:
            None, or why the whole chunk was refused; the plan before it stays valid until its end.
        """
        self._watch_clock(now_ns)
        refused = self._take(chunk, now_ns)
        self._refused = None
        if refused:
            self.on_refused_chunk(refused)
        return refused

    def on_refused_chunk(self, reason: Reason) -> None:
        """Remember why a chunk cannot be used, to say so when the plan ends; also for malformed messages."""
        self._refused = reason
        if self._buffer.plan is None:
            self._no_plan = reason

    def tick(self, now_ns: int, measured: Array | Reason) -> Command:
        """Return the command of this control tick.

        Args:
            now_ns: The ROS clock.
            measured: From FeedbackReader: shape (action_dim,), NaN where nothing measures; or why not.
        """
        jumped = self._watch_clock(now_ns)
        halted = self._interrupt()
        feedback = self._take_feedback(measured)
        reason = self.arbitration.decide(jumped or feedback or self._plan_state(now_ns))
        if self.mode is ControlMode.POLICY and not self._driving:
            reason = self._start(now_ns)
        plan, chunk_id = self._buffer.plan, self._buffer.chunk_id
        proposed = plan.at(self._layout, now_ns) if plan else None
        if plan and self.mode is ControlMode.POLICY:
            action, news = self._drive(now_ns, plan)
        else:
            action, news = self._rest(now_ns)
        return Command(_sent(action), self.mode, reason, chunk_id, proposed, news or halted)

    def _take(self, chunk: ActionChunk, now_ns: int) -> Reason | None:
        if chunk.action_names != self._spec.action_names:
            text = f"the chunk has {list(chunk.action_names)}, the spec {list(self._spec.action_names)}"
            return Reason(ReasonCode.CHUNK_WRONG_LAYOUT, text)
        age_ns = now_ns - chunk.observation_stamp_ns
        if not -self._spec.max_skew_ns <= age_ns <= self._max_age_ns:
            text = f"chunk {chunk.chunk_id} was made from an observation {age_ns / 1e9:.3f} s old"
            return Reason(ReasonCode.CHUNK_STALE, f"{text}; limit {self._config.max_chunk_age_s:g} s")
        rows = self._layout.normalised(chunk.actions)
        if refused := self._limits.check_rows(rows, chunk.step_ns / 1e9):
            return refused
        return self._buffer.add(chunk, rows, now_ns, self._reference(now_ns))

    @property
    def _max_age_ns(self) -> int:
        return round(self._config.max_chunk_age_s * 1e9)

    def _watch_clock(self, now_ns: int) -> Reason | None:
        if not self._clock.jumped_back(now_ns):
            return None
        self._buffer.restart()
        self._holding = Holding(self._limits)
        self._driving, self._measured, self._refused = False, None, None
        self._no_plan = Reason(ReasonCode.CLOCK_JUMPED, "the clock went back; plan and command were dropped")
        return self._no_plan

    def _interrupt(self) -> Plan | None:
        """Notice stops and takeovers since the last tick, also those that are over already."""
        plan = None
        if self.arbitration.interruptions != self._interruptions:
            self._interruptions = self.arbitration.interruptions
            plan = self._halt(0.0)
            self._drop_plan(_NO_CHUNK)
            self._released = True
        if self._released and self.mode is not ControlMode.STOPPED:
            self._released = False
            self._holding.release()
        return plan

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

    def _plan_state(self, now_ns: int) -> Reason:
        plan, stamp_ns = self._buffer.plan, self._buffer.observation_stamp_ns
        if plan is None:
            return self._no_plan
        if now_ns <= plan.end_ns and now_ns - stamp_ns <= self._max_age_ns:
            return OK
        age_s = (now_ns - stamp_ns) / 1e9
        text = f"chunk {self._buffer.chunk_id} is used up; its observation is {age_s:.3f} s old"
        self._drop_plan(self._refused or Reason(ReasonCode.CHUNK_STALE, text))
        return self._no_plan

    def _drop_plan(self, why: Reason) -> None:
        self._buffer.clear()
        self._no_plan = why

    def _start(self, now_ns: int) -> Reason:
        refused = self._buffer.rejoin(now_ns, self._reference(now_ns))
        if refused is None:
            return OK
        self._drop_plan(refused)
        return self.arbitration.decide(refused)

    def _reference(self, now_ns: int) -> Array:
        """Return where a motion starts: at the command while it is obeyed, else where the robot is."""
        command, plan = self._holding.command, self._buffer.plan
        unknown = np.full(self._spec.action_dim, np.nan)
        measured = unknown if self._measured is None else self._measured
        if self._driving and self._control_enabled and plan:
            return plan.at(self._layout, now_ns)
        if command is None:
            return measured
        obeyed = self._control_enabled and self._holding.obeyed
        if obeyed and self._limits.check_start(measured, command) is None:
            return command
        return np.where(np.isnan(measured), command, measured)

    def _drive(self, now_ns: int, plan: Plan) -> tuple[Array, Plan | None]:
        action = plan.at(self._layout, now_ns)
        self._holding.drive(now_ns, action, first=not self._driving)
        news = None if plan is self._announced else plan
        self._driving, self._announced = True, plan
        return action, news

    def _rest(self, now_ns: int) -> tuple[Array | None, Plan | None]:
        news = self._halt(self._config.stop_s)
        return self._holding.at(now_ns), news

    def _halt(self, stop_s: float) -> Plan | None:
        if not self._driving:
            return None
        self._driving = False
        if self._buffer.plan:
            self._drop_plan(Reason(ReasonCode.NO_CHUNK, "no chunk has arrived since the robot came to hold"))
        return self._holding.brake(stop_s)


def _sent(action: Array | None) -> Array | None:
    return None if action is None else read_only(action)
