# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""While a goal runs: observe, remember, infer when due, publish the chunk, and say what is going on.

No rclpy here: times come in, chunks go out through a callable.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.observation.gate import ObservationSource
from lbm_policy_node.core.observation.history import ObservationHistory
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.policies.policy import PolicySpec

from .goal import GoalHandler, Run, Termination
from .inference_worker import InferenceRequest, InferenceResult, InferenceWorker
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
        source: ObservationSource,
        worker: InferenceWorker,
        schedule: Schedule,
        sampling: Sampling,
        goals: GoalHandler,
        publish: Callable[[ActionChunk], None],
    ) -> None:
        """Start idle; ``publish`` is called with each chunk."""
        self._robot, self._policy, self._source, self._worker = robot, policy, source, worker
        self._schedule, self._sampling, self._goals, self._publish = schedule, sampling, goals, publish
        self._history = ObservationHistory(policy.n_obs_steps, robot.step_ns)
        self._inference, self._age = LatencyStatistics(), LatencyStatistics()
        self._n_chunks = self._n_blocked = self._n_failed = self._failures_in_a_row = self._n_starved = 0
        self._blocked_ns: int | None = None
        self._epoch = 0
        self.restart()

    def restart(self, since_ns: int = 0) -> None:
        """Begin anew: a run starts, somebody else drove, or the clock has jumped.

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
        self._source.restart()

    def report(self) -> PolicyReport:
        """Say what is going on."""
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

    def poll(self, now_ns: int) -> None:
        """Look at the robot, and ask the policy if an inference is due; cheap, call it on every sample."""
        self._goals.check_time(now_ns)
        if self._goals.run is None:
            return
        self._count_starved(now_ns)
        observation = self._source.observe(now_ns, self._goals.run.instruction)
        if observation is None or (
            not isinstance(observation, Reason) and observation.stamp_ns < self._since_ns
        ):
            return
        if isinstance(observation, Reason):
            self._observing = observation
            self._count_blocked(now_ns)
            return
        self._observing = OK
        self._history.push(observation)
        if self._worker.idle and self._due(observation.stamp_ns):
            self._ask(self._goals.run, observation.stamp_ns)

    def take_result(self, now_ns: int) -> None:
        """Publish a finished inference, unless its run has ended or its clock is gone."""
        result = self._worker.take()
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

    def _ask(self, run: Run, stamp_ns: int) -> None:
        window = self._history.window()
        if isinstance(window, Reason):
            self._observing = window
            return
        chunk_id = self._n_chunks + 1
        request = InferenceRequest(
            epoch=self._epoch,
            chunk_id=chunk_id,
            instruction=run.instruction,
            history=window,
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
        chunk = self._chunk(result, result.samples)
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

    def _chunk(self, result: InferenceResult, samples: np.ndarray) -> ActionChunk:
        request = result.request
        stamp_ns = request.history[-1].stamp_ns
        streams = tuple(request.history[-1].stream_stamps_ns)
        return ActionChunk(
            chunk_id=request.chunk_id,
            observation_stamp_ns=stamp_ns,
            start_ns=stamp_ns + self._robot.action.lead_ns,
            step_ns=self._robot.step_ns,
            actions=samples[0],
            samples=samples,
            action_names=self._robot.action_names,
            seed=request.seed,
            checkpoint_id=self._policy.checkpoint_id,
            instruction=request.instruction,
            stochastic=self._policy.stochastic,
            inference_s=result.inference_s,
            index=self._index,
            execution_horizon=self._schedule.execution_horizon,
            embedding=result.embedding,
            input_streams=streams,
            input_stamps_ns=tuple(tuple(o.stream_stamps_ns[s] for s in streams) for o in request.history),
        )
