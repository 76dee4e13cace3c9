# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs episodes in several processes, each a file of chunks, so that an evaluation can resume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.assessment.protocol import Trial
from lbm_policy_node.assessment.recoverability import expert_steps
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.episodes.chunk_episodes import write_episode
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.policy import Policy
from lbm_policy_node.sim.demonstrations import DemonstrationConfig
from lbm_policy_node.sim.evaluation import SPEC, cached_policy, cached_robot
from lbm_policy_node.sim.perturbations.catalogue import PerturbedEpisode, make_perturbations
from lbm_policy_node.sim.processes import run_in_processes
from lbm_policy_node.sim.robot import Scene, SimulatedRobot
from lbm_policy_node.sim.rollout import Rollout, RolloutConfig, roll_out, time_ns
from lbm_policy_node.sim.snapshot import Snapshot

EXPERT_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class RecordingConfig:
    """How episodes are run.

    Attributes:
        checkpoint: Folder of the policy.
        max_steps: Policy steps of every episode; it goes on after success.
        n_samples: Chunks drawn per inference.
        replan_steps: Steps between inferences; None takes the checkpoint's.
        start_offset_m: The hand starts up to this far from the task's own start, as in the demonstrations.
        latency_steps: Each episode draws from 0 to so many policy steps between an observation and its chunk.
        stop_at_success: End an episode with its success instead of going on.
        expert_steps: Policy steps that the expert has to finish a failed episode from each of its chunks; 0
            leaves that out.
    """

    checkpoint: str
    max_steps: int = 80
    n_samples: int = 16
    replan_steps: int | None = None
    start_offset_m: float = DemonstrationConfig.start_offset_m
    latency_steps: int = 0
    stop_at_success: bool = False
    expert_steps: int = EXPERT_STEPS


def record(
    trials: Sequence[Trial], config: RecordingConfig, folder: Path, *, processes: int, block: int = 4
) -> Iterator[int]:
    """Run the trials whose files are missing in the folder; yields how many each block has finished."""
    missing = [trial for trial in trials if not trial.path(folder).exists()]
    blocks = [missing[i : i + block] for i in range(0, len(missing), block)]
    yield from run_in_processes(record_block, [(part, config, folder) for part in blocks], processes)


def record_block(part: Sequence[Trial], config: RecordingConfig, folder: Path) -> int:
    """Run some trials in this process and write their files; returns how many."""
    policy, spec = cached_policy(config.checkpoint), RobotSpec.load(shared_path(SPEC))
    for trial in part:
        episode = run(trial, config, policy, spec, cached_robot(trial.task))
        write_episode(episode, trial.path(folder))
    return len(part)


def run(
    trial: Trial, config: RecordingConfig, policy: Policy, spec: RobotSpec, robot: SimulatedRobot
) -> ChunkEpisode:
    """Run one trial; a failed one is tried again by the expert from each of its chunks."""
    disturbed = make_perturbations(
        trial.perturbation, task=robot.task, seed=trial.seed, max_steps=config.max_steps
    )
    robot.perturbations = tuple(disturbed.perturbations)
    scene = Scene(seed=trial.seed, start_offset_m=config.start_offset_m)
    rollout_config = RolloutConfig(
        max_steps=config.max_steps,
        replan_steps=config.replan_steps,
        latency_steps=disturbed.latency_steps or _latency_steps(trial, config),
        n_samples=config.n_samples,
        stop_at_success=config.stop_at_success,
        keep_chunks=True,
    )
    instruction = disturbed.instruction or robot.task.instruction
    snapshots: list[Snapshot] = []
    rollout = roll_out(
        robot,
        policy,
        spec,
        scene,
        instruction,
        rollout_config,
        lambda: snapshots.append(Snapshot.take(robot)),
    )
    needed: tuple[int, ...] = ()
    if not rollout.success and config.expert_steps:
        needed = expert_steps(robot, snapshots, limit=config.expert_steps)
    return _episode(trial, rollout, disturbed, needed)


def _latency_steps(trial: Trial, config: RecordingConfig) -> int:
    return int(np.random.default_rng([trial.seed, 4]).integers(config.latency_steps + 1))


def _episode(
    trial: Trial, rollout: Rollout, disturbed: PerturbedEpisode, needed: tuple[int, ...]
) -> ChunkEpisode:
    meta: dict[str, Any] = {
        "split": trial.split,
        "perturbation": trial.perturbation,
        "seed": trial.seed,
        "drawn": dict(disturbed.drawn),
        "refused_chunks": len(rollout.refused),
        "expert_steps": list(needed),
    }
    stamps = np.array([time_ns(step + 1) for step in range(len(rollout.rewards))], np.int64)
    return ChunkEpisode(
        episode_id=trial.episode_id,
        task=trial.task,
        success=rollout.success,
        success_ns=rollout.success_ns,
        chunks=rollout.chunks,
        reward_stamps_ns=stamps,
        rewards=np.array(rollout.rewards),
        meta=meta,
    )
