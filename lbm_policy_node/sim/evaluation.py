# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Closed-loop evaluation in several processes: success per task, and whether language decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.core.settings import setting
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import Policy
from lbm_policy_node.sim.processes import run_in_processes
from lbm_policy_node.sim.robot import Scene, SimulatedRobot
from lbm_policy_node.sim.rollout import Rollout, RolloutConfig, roll_out
from lbm_policy_node.sim.success import beta_interval
from lbm_policy_node.sim.tasks import OPPOSITES, TASKS, task_named

SPEC = "config/robots/metaworld.yaml"
AJAR_RANGE = (0.4, 0.6)
MOVED = 0.15  # share of the full opening that counts as having been moved


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """What is evaluated.

    Attributes:
        checkpoint: Folder of the policy.
        tasks: Names of the tasks.
        rollout: How episodes are run.
    """

    checkpoint: str
    tasks: tuple[str, ...] = tuple(TASKS)
    episodes: int = setting(50, "Episodes per task.")
    opposites: int = setting(
        25, "Half-open scenes per instruction of the opposite-instruction test; 0 leaves it out."
    )
    seed: int = setting(0, "First scene; the next ones follow. Demonstrations use seeds from 1,000,000 on.")
    rollout: RolloutConfig = field(default_factory=RolloutConfig)


@dataclass(frozen=True)
class Trial:
    """One episode to run. With ajar it belongs to the opposite-instruction test."""

    task: str
    seed: int
    ajar: bool

    @property
    def scene(self) -> Scene:
        """The scene; the same for both instructions of a pair."""
        ajar = float(np.random.default_rng([self.seed, 3]).uniform(*AJAR_RANGE)) if self.ajar else None
        return Scene(seed=self.seed, ajar=ajar)


@dataclass(frozen=True)
class Outcome:
    """A trial's result; moved is the change of the opening (+ opened, - closed) where the scene has one."""

    trial: Trial
    rollout: Rollout
    moved: float


def trials(config: EvaluationConfig) -> list[Trial]:
    """List all episodes, grouped by task."""
    plain = [Trial(task, config.seed + i, False) for task in config.tasks for i in range(config.episodes)]
    pairs = [pair for pair in OPPOSITES if set(pair) <= set(config.tasks)]
    ajar = [
        Trial(task, config.seed + i, True) for pair in pairs for task in pair for i in range(config.opposites)
    ]
    return plain + ajar


def evaluate(config: EvaluationConfig, *, processes: int, block: int = 5) -> Iterator[list[Outcome]]:
    """Run all episodes; yields blocks of outcomes as they finish, in no particular order."""
    planned = trials(config)
    blocks = [planned[i : i + block] for i in range(0, len(planned), block)]
    yield from run_in_processes(run_trials, [(part, config) for part in blocks], processes)


def run_trials(part: Sequence[Trial], config: EvaluationConfig) -> list[Outcome]:
    """Run some episodes in this process."""
    policy, spec = cached_policy(config.checkpoint), RobotSpec.load(shared_path(SPEC))
    outcomes = []
    for trial in part:
        robot = cached_robot(trial.task)
        before = _opening_at_start(robot, trial)
        rollout = roll_out(robot, policy, spec, trial.scene, TASKS[trial.task].instruction, config.rollout)
        outcomes.append(Outcome(trial, rollout, robot.opening - before if trial.ajar else 0.0))
    return outcomes


def summarise(config: EvaluationConfig, outcomes: Sequence[Outcome], checkpoint_id: str) -> dict[str, Any]:
    """Success per task with intervals, the opposite-instruction test, and the settings, ready for JSON."""
    plain = [outcome for outcome in outcomes if not outcome.trial.ajar]
    tasks = {task: _task_row([o for o in plain if o.trial.task == task]) for task in config.tasks}
    opposites = {}
    for pair in OPPOSITES:
        members = [o for o in outcomes if o.trial.ajar and o.trial.task in pair]
        if members:
            opposites[" / ".join(pair)] = _choice_row(members)
    settings = asdict(config) | {"checkpoint": Path(config.checkpoint).name}
    return {"checkpoint_id": checkpoint_id, "config": settings, "tasks": tasks, "opposites": opposites}


def _task_row(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    won = [o.rollout for o in outcomes if o.rollout.success]
    inference = [seconds for o in outcomes for seconds in o.rollout.inference_s]
    return {
        "episodes": len(outcomes),
        "successes": len(won),
        "rate": len(won) / len(outcomes),
        "interval_95": beta_interval(len(won), len(outcomes)),
        "median_steps": float(np.median([r.steps for r in won])) if won else None,
        "median_inference_s": float(np.median(inference)),
        "refused_chunks": sum(len(o.rollout.refused) for o in outcomes),
        "failed_seeds": [o.trial.seed for o in outcomes if not o.rollout.success],
    }


def _choice_row(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Of the scenes in which the part was moved, the share in which it went the way of the instruction."""
    moved = [o for o in outcomes if abs(o.moved) >= MOVED]
    right = [o for o in moved if (o.moved > 0) == o.trial.task.endswith("open")]
    return {
        "episodes": len(outcomes),
        "solved": sum(o.rollout.success for o in outcomes),
        "moved": len(moved),
        "moved_as_instructed": len(right),
        "rate": len(right) / len(moved) if moved else None,
        "interval_95": beta_interval(len(right), len(moved)) if moved else None,
    }


_policies: dict[str, Policy] = {}  # of this process
_robots: list[SimulatedRobot] = []


def cached_policy(checkpoint: str) -> Policy:
    """Load a policy once per process."""
    if checkpoint not in _policies:
        _policies[checkpoint] = load_policy(checkpoint, threads=1)
    return _policies[checkpoint]


def cached_robot(task: str) -> SimulatedRobot:
    """Keep the simulator of one task per process."""
    if not _robots or _robots[0].task.name != task:
        if _robots:
            _robots.pop().close()
        _robots.append(SimulatedRobot(task_named(task)))
    return _robots[0]


def _opening_at_start(robot: SimulatedRobot, trial: Trial) -> float:
    if not trial.ajar:
        return 0.0
    robot.reset(trial.scene)
    return robot.opening
