# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One closed-loop episode without ROS: the executor's own classes between policy and simulated robot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig
from lbm_policy_node.core.observation.history import ObservationHistory
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array, Observation
from lbm_policy_node.policies.policy import EmbeddingPolicy, Policy
from lbm_policy_node.sim.demonstrations import TICKS_PER_STEP, proprio
from lbm_policy_node.sim.robot import GRIPPER_OPEN, TICK_NS, Scene, SimulatedRobot

IMAGE_PREFIX = "observation.images."
START_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """How an episode is run.

    Attributes:
        max_steps: Policy steps of 50 ms until the episode counts as failed; the default is Meta-World's own
            limit of 500 control ticks.
        replan_steps: Steps between inferences; None takes the checkpoint's n_action_steps.
        latency_steps: Policy steps between an observation and its chunk, as inference takes time on a robot.
        merge: How the executor merges chunks.
        n_samples: Chunks per inference; the executed one does not depend on it.
        stop_at_success: Otherwise the policy goes on until max_steps, and the episode counts as solved if it
            ever was.
        keep_chunks: Return the chunks with all samples, and with the embedding where the policy has one.
    """

    max_steps: int = 125
    replan_steps: int | None = None
    latency_steps: int = 0
    merge: str = "receding_horizon"
    n_samples: int = 1
    stop_at_success: bool = True
    keep_chunks: bool = False


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What happened.

    Attributes:
        success: Whether the task was solved.
        steps: Policy steps until it was, else all of them.
        refused: Why the executor refused chunks.
        inference_s: Duration of each inference.
        held_ticks: Control ticks in which the policy did not drive.
        rewards: The simulator's reward after each policy step.
        chunks: With `keep_chunks`, one per inference.
    """

    success: bool
    steps: int
    refused: tuple[str, ...]
    inference_s: tuple[float, ...]
    held_ticks: int
    rewards: tuple[float, ...] = ()
    chunks: tuple[ActionChunk, ...] = ()

    @property
    def success_ns(self) -> int | None:
        """When the task was solved, on the clock of the chunks."""
        return time_ns(self.steps) if self.success else None


OnInference = Callable[[ActionChunk], None]
"""Called with each new chunk, before the robot moves on; may look at the simulator."""


def roll_out(
    robot: SimulatedRobot,
    policy: Policy,
    spec: RobotSpec,
    scene: Scene,
    instruction: str,
    config: RolloutConfig,
    on_inference: OnInference | None = None,
) -> Rollout:
    """Run one episode; deterministic given the scene."""
    robot.reset(scene)
    episode = _Episode(robot, policy, spec, instruction, config, seed=scene.seed, on_inference=on_inference)
    for step in range(config.max_steps):
        episode.step(step)
        if episode.solved_at is not None and config.stop_at_success:
            break
    return episode.result()


def time_ns(step: int) -> int:
    """Return when a policy step begins, on the rollout's clock."""
    return START_NS + step * TICKS_PER_STEP * TICK_NS


class _Episode:
    def __init__(
        self,
        robot: SimulatedRobot,
        policy: Policy,
        spec: RobotSpec,
        instruction: str,
        config: RolloutConfig,
        *,
        seed: int,
        on_inference: OnInference | None,
    ) -> None:
        self.robot, self.policy, self.spec, self.config = robot, policy, spec, config
        self.instruction, self.seed = instruction, seed
        self.executor = ChunkExecutor(spec, ChunkExecutorConfig(merge=config.merge))
        self.executor.on_policy_state(PolicyState.RUNNING)
        self.history = ObservationHistory(policy.spec.n_obs_steps, spec.step_ns)
        self.replan = config.replan_steps or policy.spec.n_action_steps
        self.coming: list[tuple[int, ActionChunk]] = []
        self.refused: list[str] = []
        self.inference_s: list[float] = []
        self.on_inference = on_inference
        self.chunks: list[ActionChunk] = []
        self.rewards: list[float] = []
        self.solved_at: int | None = None
        self.held_ticks = 0
        self.gripper = GRIPPER_OPEN

    def step(self, step: int) -> None:
        """One policy step: observe, perhaps infer, and four control ticks."""
        self._observe(step)
        for tick in range(TICKS_PER_STEP):
            now_ns = time_ns(step) + tick * TICK_NS
            while self.coming and self.coming[0][0] <= now_ns:
                self._deliver(self.coming.pop(0)[1], now_ns)
            command = self.executor.tick(now_ns, self._measured())
            self.held_ticks += command.mode is not ControlMode.POLICY
            self._apply(command.action)
        self.rewards.append(self.robot.reward)
        if self.robot.success and self.solved_at is None:
            self.solved_at = step + 1

    def result(self) -> Rollout:
        """Sum up."""
        return Rollout(
            success=self.solved_at is not None,
            steps=self.solved_at or len(self.rewards),
            refused=tuple(self.refused),
            inference_s=tuple(self.inference_s),
            held_ticks=self.held_ticks,
            rewards=tuple(self.rewards),
            chunks=tuple(self.chunks),
        )

    def _observe(self, step: int) -> None:
        """Render only what an inference will look at: it is what an episode spends most of its time on."""
        if any((step + ahead) % self.replan == 0 for ahead in range(self.policy.spec.n_obs_steps)):
            self.history.push(self._observation(step))
        if step % self.replan == 0:
            chunk = self._infer(step)
            self.coming.append((time_ns(step + self.config.latency_steps), chunk))
            if self.config.keep_chunks:
                self.chunks.append(chunk)
            if self.on_inference is not None:
                self.on_inference(chunk)

    def _observation(self, step: int) -> Observation:
        images = {IMAGE_PREFIX + name: image for name, image in self.robot.images().items()}
        return Observation(time_ns(step), images, proprio(self.robot), self.instruction)

    def _infer(self, step: int) -> ActionChunk:
        window = self.history.window()
        assert not isinstance(window, Reason), "every step that the window needs was pushed"
        chunk_id = len(self.inference_s) + 1
        started = time.perf_counter()
        seed = self.seed * 1000 + chunk_id
        samples = self.policy.infer(window, n_samples=self.config.n_samples, seed=seed)
        self.inference_s.append(time.perf_counter() - started)
        stamp_ns = time_ns(step)
        return ActionChunk(
            chunk_id=chunk_id,
            observation_stamp_ns=stamp_ns,
            start_ns=stamp_ns + self.spec.action.lead_ns,
            step_ns=self.spec.step_ns,
            actions=samples[0],
            samples=samples,
            action_names=self.spec.action_names,
            seed=seed,
            checkpoint_id=self.policy.spec.checkpoint_id,
            instruction=self.instruction,
            stochastic=self.policy.spec.stochastic,
            inference_s=self.inference_s[-1],
            index=chunk_id - 1,
            execution_horizon=self.replan,
            embedding=self._embedding(window),
        )

    def _embedding(self, window: Sequence[Observation]) -> Array:
        if not self.config.keep_chunks or not self.policy.spec.embedding_dim:
            return np.empty(0, np.float32)
        return cast(EmbeddingPolicy, self.policy).embed(window).astype(np.float32)

    def _deliver(self, chunk: ActionChunk, now_ns: int) -> None:
        refused = self.executor.on_chunk(chunk, now_ns)
        if refused is not None:
            self.refused.append(refused.text)

    def _measured(self) -> Array:
        return np.append(self.robot.reported_proprio()[0], np.nan)

    def _apply(self, action: Array | None) -> None:
        if action is None:
            self.robot.tick(self.robot.commanded_position, self.gripper)
            return
        self.gripper = float(action[3])
        self.robot.tick(action[:3], self.gripper)
