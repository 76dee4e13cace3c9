# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The loop of a running goal: observe, keep the history, infer when due, publish chunks, report the status.

No ROS here: times come in, chunks go out through a callable. The policy node calls it on every message, the
simulated roll-out at every step of simulated time.

::

    poll         look at the robot -> remember -> due? -> decode and build the window -> ask the policy
    take_result  answer -> right epoch? -> finite, not past? -> chunk -> publish, then poll
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.history import ObservationHistory
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.policies.policy import PolicySpec

from .assembly import ChunkAssembly
from .goal import GoalHandler, Run, Termination
from .inference import InferenceRequest, InferenceResult
from .inference_worker import InferenceWorker
from .latency import LatencyStatistics
from .report import PolicyReport
from .schedule import Schedule


@dataclass(frozen=True)
class Sampling:
    """How the policy is asked: samples per inference, and the seed that the chunk id is added to."""

    n_samples: int
    seed: int
    max_failures: int


class PolicyLoop:
    """The running policy. All calls belong to the node's executor thread."""

    def __init__(
        self,
        *,
        robot: RobotSpec,
        policy: PolicySpec,
        gate: ObservationGate,
        worker: InferenceWorker,
        schedule: Schedule,
        sampling: Sampling,
        goals: GoalHandler,
        publish: Callable[[ActionChunk], None],
    ) -> None:
        """Start idle; ``publish`` is called with each chunk."""
        self._robot, self._policy, self._gate, self._worker = robot, policy, gate, worker
        self._assembly = ChunkAssembly(robot, policy, schedule)
        self._schedule, self._sampling, self._goals, self._publish = schedule, sampling, goals, publish
        self._history = ObservationHistory(policy.n_obs_steps, robot.step_ns)
        self._inference, self._age = LatencyStatistics(), LatencyStatistics()
        self._n_chunks = self._n_blocked = self._n_failed = self._failures_in_a_row = self._n_starved = 0
        self._blocked_ns: int | None = None
        self._epoch = 0
        self.restart()

    def restart(self, since_ns: int = 0) -> None:
        """Forget the history: a run starts, the operator drove, or the clock has jumped.

        An answer in flight will be thrown away, and so will observations of before ``since_ns``.
        """
        self._epoch += 1
        self._since_ns = since_ns
        self._history.reset()
        self._index = 0
        self._asked_ns: int | None = None
        self._failed_ns: int | None = None
        self._used_up_ns: int | None = None  # when the run's newest chunk ends
        self._observing, self._failure = OK, OK
        self._blocked_ns = None

    def on_clock_jump(self) -> None:
        """Forget everything that carries a time of before the jump."""
        self.restart()
        self._gate.restart()

    def report(self) -> PolicyReport:
        """Return the policy's status."""
        run, reason = self._goals.run, self._observing if not self._observing.ok else self._failure
        state = PolicyState.IDLE
        if run is not None:
            state = PolicyState.RUNNING if reason.ok else PolicyState.BLOCKED
        return PolicyReport(
            state=state,
            reason=reason if run is not None else OK,
            run=run,
            checkpoint_id=self._policy.checkpoint_id,
            inference=self._inference.summary(),
            age=self._age.summary(),
            n_chunks=self._n_chunks,
            n_blocked=self._n_blocked,
            n_failed=self._n_failed,
            n_starved=self._n_starved,
        )

    def may_use(self, stamp_ns: int) -> bool:
        """Whether the next inference may look at an observation of this stamp.

        Where making an observation is expensive, as rendering is, the others need not be made. While an
        inference is in flight this takes for granted that it will succeed.
        """
        if self._failed_ns is not None:
            return True
        return self._schedule.may_use(stamp_ns, self._asked_ns, self._history.reach_ns)

    def poll(self, now_ns: int) -> None:
        """Look at the robot, and ask the policy if an inference is due; cheap, call it on every sample."""
        self._goals.check_time(now_ns)
        if self._goals.run is None:
            return
        self._count_starved(now_ns)
        sighting = self._gate.look(now_ns)
        if isinstance(sighting, Reason):
            self._block(sighting, now_ns)
        elif sighting is not None and sighting.stamp_ns >= self._since_ns:
            self._history.push(sighting)
            if self._worker.idle and self._due(sighting.stamp_ns):
                self._ask(self._goals.run, sighting.stamp_ns, now_ns)
            else:
                self._observing = OK

    def take_result(self, now_ns: int) -> None:
        """Publish a finished inference, unless its run has ended or its clock is gone."""
        result = self._worker.take(now_ns)
        run = self._goals.run
        if result is not None and run is not None and result.request.epoch == self._epoch:
            self._failure = self._accept(result, now_ns)
            if self._failure.ok:
                self._failures_in_a_row = 0
            else:
                self._fail(result, now_ns)
        self.poll(now_ns)

    def _due(self, stamp_ns: int) -> bool:
        """Whether to ask; after a failure with the next observation, never again with the same."""
        if self._failed_ns is not None:
            return stamp_ns > self._failed_ns
        return self._schedule.due(stamp_ns, self._asked_ns)

    def _count_starved(self, now_ns: int) -> None:
        """The executor plays a chunk to its end and then holds."""
        if self._used_up_ns is not None and now_ns > self._used_up_ns:
            self._used_up_ns = None
            self._n_starved += 1

    def _count_blocked(self, now_ns: int) -> None:
        if self._blocked_ns is None or now_ns - self._blocked_ns >= self._robot.step_ns:
            self._blocked_ns = now_ns
            self._n_blocked += 1

    def _block(self, reason: Reason, now_ns: int) -> None:
        self._observing = reason
        self._count_blocked(now_ns)

    def _ask(self, run: Run, stamp_ns: int, now_ns: int) -> None:
        """Build what the inference looks at; only here are images decoded."""
        gap = self._history.window()
        if isinstance(gap, Reason):  # this observation is good, one before it is not there: none is counted
            self._observing = gap
            return
        history = self._history.observations(run.instruction)
        if isinstance(history, Reason):
            self._block(history, now_ns)
            return
        self._observing = OK
        chunk_id = self._n_chunks + 1
        request = InferenceRequest(
            epoch=self._epoch,
            chunk_id=chunk_id,
            instruction=run.instruction,
            history=history,
            n_samples=self._sampling.n_samples,
            seed=self._sampling.seed + chunk_id,
        )
        if self._worker.submit(request):
            self._asked_ns, self._failed_ns = stamp_ns, None

    def _accept(self, result: InferenceResult, now_ns: int) -> Reason:
        if result.unavailable:
            return Reason(ReasonCode.POLICY_UNAVAILABLE, result.error)
        self._inference.add(result.inference_s)
        if result.samples is None:
            return Reason(ReasonCode.INFERENCE_FAILED, result.error)
        if not np.isfinite(result.samples).all():
            return Reason(ReasonCode.INFERENCE_NON_FINITE, "the policy returned NaN or infinity")
        chunk = self._assembly.chunk(result, result.samples, self._index)
        if chunk.end_ns <= now_ns:
            text = f"all {chunk.horizon} rows were past; the inference took {result.inference_s:.3f} s"
            return Reason(ReasonCode.INFERENCE_LATE, text)
        self._publish(chunk)
        self._used_up_ns = chunk.end_ns
        self._n_chunks += 1
        self._index += 1
        self._goals.count_chunk()
        self._age.add((now_ns - chunk.observation_stamp_ns) * 1e-9)
        return OK

    def _fail(self, result: InferenceResult, now_ns: int) -> None:
        self._failed_ns = result.request.history[-1].stamp_ns
        if result.unavailable:  # nothing is wrong with the policy: block as on a missing observation
            self._count_blocked(now_ns)
            return
        self._n_failed += 1
        if self._failure.code != ReasonCode.INFERENCE_LATE:
            self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._sampling.max_failures:
            self._failures_in_a_row = 0
            self._goals.end(Termination.POLICY_ERROR, now_ns, self._failure)
