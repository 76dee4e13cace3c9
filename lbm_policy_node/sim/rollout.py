# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One closed-loop episode without ROS: the nodes' own classes between policy and simulated robot.

::

    robot --samples--> ObservationGate --> PolicyLoop --chunks--> ChunkExecutor --commands--> robot
                                               |  ^
                                          SimulatedWorker --> policy      all by simulated time, one thread
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig
from lbm_policy_node.core.execution.merging import ChunkBufferConfig
from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.settings import same_setting, setting
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.policies.policy import EmbeddingPolicy, Policy
from lbm_policy_node.running.goal import GoalHandler
from lbm_policy_node.running.inference import Inference, no_embedding
from lbm_policy_node.running.policy_loop import PolicyLoop, Sampling
from lbm_policy_node.running.schedule import Mode, Schedule
from lbm_policy_node.running.simulated_worker import SimulatedWorker
from lbm_policy_node.sim.demonstrations import TICKS_PER_STEP
from lbm_policy_node.sim.robot import GRIPPER_OPEN, TICK_NS, Scene, SimulatedRobot
from lbm_policy_node.sim.sensing import sense

START_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """How an episode is run."""

    max_steps: int = setting(
        125,
        "Policy steps of 50 ms until an episode has failed; the default is Meta-World's own limit of 500 "
        "control ticks.",
    )
    replan_steps: int | None = setting(
        None, "Steps between inferences; without it the checkpoint's n_action_steps."
    )
    latency_steps: int = setting(
        0,
        "Policy steps between an observation and its chunk, as inference takes time on a robot; one "
        "inference is in flight at a time.",
    )
    merge: str = same_setting(ChunkBufferConfig, "merge")
    n_samples: int = setting(1, "Chunks per inference; the executed one does not depend on it.")
    stop_at_success: bool = setting(
        True,
        "Otherwise the policy goes on until max_steps, and the episode counts as solved if it ever was.",
    )
    lock_step: bool = setting(
        False,
        "Chunks reach the executor after its tick of the same instant, as in a graph of nodes in lock step; "
        "otherwise before it.",
    )
    keep_chunks: bool = setting(
        False, "Return the chunks with all samples, and with the embedding where the policy has one."
    )


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What happened.

    Attributes:
        success: Whether the task was solved.
        steps: Policy steps until it was, else all of them.
        refused: Why the executor refused chunks, or why an inference gave none.
        inference_s: Duration of each inference that gave a chunk.
        held_ticks: Control ticks in which the policy did not drive.
        rewards: The simulator's reward after each policy step.
        chunks: With `keep_chunks`, one per inference, also where the episode ended before its time came.
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


OnInference = Callable[[], None]
"""Called after each inference, before the robot moves on; may look at the simulator."""


def _nothing() -> None:
    pass


def roll_out(
    robot: SimulatedRobot,
    policy: Policy,
    spec: RobotSpec,
    scene: Scene,
    instruction: str,
    config: RolloutConfig,
    on_inference: OnInference = _nothing,
) -> Rollout:
    """Run one episode; deterministic given the scene.

    Raises:
        ValueError: The robot's images or joints are not those of the spec.
    """
    robot.reset(scene)
    return drive(robot, policy, spec, scene.seed, instruction, config, on_inference)


def drive(
    robot: SimulatedRobot,
    policy: Policy,
    spec: RobotSpec,
    seed: int,
    instruction: str,
    config: RolloutConfig,
    on_inference: OnInference = _nothing,
) -> Rollout:
    """Run one episode from where the robot stands; chunk i has the policy seed ``policy_seed(seed) + i``."""
    episode = _Episode(robot, policy, spec, seed, instruction, config, on_inference)
    for step in range(config.max_steps):
        episode.step(step)
        if episode.solved_at is not None and config.stop_at_success:
            break
    return episode.result()


def policy_seed(seed: int) -> int:
    """Return the seed of the policy's noise in a scene of this seed; the chunk id is added to it."""
    return seed * 1000


def time_ns(step: int) -> int:
    """Return when a policy step begins, on the rollout's clock."""
    return START_NS + step * TICKS_PER_STEP * TICK_NS


class _Episode:
    def __init__(
        self,
        robot: SimulatedRobot,
        policy: Policy,
        spec: RobotSpec,
        seed: int,
        instruction: str,
        config: RolloutConfig,
        on_inference: OnInference,
    ) -> None:
        self.robot, self.spec, self.config = robot, spec, config
        self.executor = ChunkExecutor(spec, ChunkExecutorConfig(merge=config.merge))
        self.executor.on_policy_state(PolicyState.RUNNING)
        self.gate = ObservationGate(spec)
        embed = policy.embed if config.keep_chunks and _has_embedding(policy) else no_embedding
        latency_ns = config.latency_steps * spec.step_ns
        self.worker = SimulatedWorker(Inference(policy, embed), latency_ns, on_inference)
        goals = GoalHandler(lambda ending: None)
        goals.enabled = True
        replan = config.replan_steps or policy.spec.n_action_steps
        self.loop = PolicyLoop(
            robot=spec,
            policy=policy.spec,
            gate=self.gate,
            worker=self.worker,
            schedule=Schedule(Mode.CHUNK_END, spec.step_ns, replan, spec.step_ns),
            sampling=Sampling(config.n_samples, policy_seed(seed), max_failures=config.max_steps + 1),
            goals=goals,
            publish=self._on_chunk,
        )
        goals.start(instruction, 0.0, START_NS)
        self.now_ns = START_NS
        self.over = False
        self.refused: list[str] = []
        self.inference_s: list[float] = []
        self.chunks: list[ActionChunk] = []
        self.rewards: list[float] = []
        self.solved_at: int | None = None
        self.held_ticks = 0
        self.gripper = GRIPPER_OPEN

    def step(self, step: int) -> None:
        """One policy step: observe, perhaps infer, and four control ticks."""
        self.now_ns = time_ns(step)
        if self.loop.may_use(self.now_ns):  # rendering is what an episode spends most of its time on
            self._observe()
        self.loop.poll(self.now_ns)
        for _ in range(TICKS_PER_STEP):
            if not self.config.lock_step:
                self._take_answer()
            command = self.executor.tick(self.now_ns, self._measured())
            if self.config.lock_step:
                self._take_answer()
            self.held_ticks += command.mode is not ControlMode.POLICY
            self._apply(command.action)
            self.now_ns += TICK_NS
        self.rewards.append(self.robot.reward)
        if self.robot.success and self.solved_at is None:
            self.solved_at = step + 1

    def result(self) -> Rollout:
        """Sum up; a chunk whose time has not come counts, but is not executed."""
        self.over = True
        self.now_ns = self.worker.stop() or self.now_ns
        self._take_answer()
        return Rollout(
            success=self.solved_at is not None,
            steps=self.solved_at or len(self.rewards),
            refused=tuple(self.refused),
            inference_s=tuple(self.inference_s),
            held_ticks=self.held_ticks,
            rewards=tuple(self.rewards),
            chunks=tuple(self.chunks),
        )

    def _observe(self) -> None:
        for stream, sample in sense(self.robot, self.spec.observation_streams).items():
            self.gate.push(stream, self.now_ns, sample, self.now_ns)
        if isinstance(reason := self.gate.look(self.now_ns), Reason):
            raise ValueError(f"the simulated robot does not give what {self.spec.file} asks for: {reason}")

    def _take_answer(self) -> None:
        n_failed = self.loop.report().n_failed
        self.loop.take_result(self.now_ns)
        report = self.loop.report()
        if report.n_failed > n_failed:
            self.refused.append(report.reason.text)

    def _on_chunk(self, chunk: ActionChunk) -> None:
        self.inference_s.append(chunk.inference_s)
        if self.config.keep_chunks:
            self.chunks.append(chunk)
        refused = None if self.over else self.executor.on_chunk(chunk, self.now_ns)
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


def _has_embedding(policy: Policy) -> TypeGuard[EmbeddingPolicy]:
    return policy.spec.embedding_dim > 0
