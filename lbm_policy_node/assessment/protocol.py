# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which episodes an evaluation of the monitor consists of: fixed seeds, nothing is left out afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lbm_policy_node.core.settings import setting
from lbm_policy_node.data.episodes.chunk_episodes import SUFFIX
from lbm_policy_node.sim.perturbations.catalogue import PERTURBATIONS
from lbm_policy_node.sim.tasks import task_named

TRAINING, CALIBRATION, IN_DISTRIBUTION = "training", "calibration", "in_distribution"
ERRATIC, PROGRESS, BENIGN = "erratic", "progress", "benign"
SEED_STRIDE = 1000
"""Seeds between two conditions of a task, so that no two episodes of an evaluation share a scene."""

SOLVED_TASKS = ("door-open", "drawer-open", "drawer-close", "button-press", "window-open", "window-close")
"""The tasks that the shipped checkpoint solves; without successes there is nothing to calibrate on."""


@dataclass(frozen=True, kw_only=True)
class ProtocolConfig:
    """How many episodes of which kind. Training uses seeds from 1,000,000 on, `lbm eval` those from 0 on."""

    tasks: tuple[str, ...] = SOLVED_TASKS
    """Names of the tasks."""
    training: int = setting(20, "Episodes per task for scores that are trained.")
    calibration: int = setting(50, "Episodes per task to calibrate on.")
    in_distribution: int = setting(40, "Fresh undisturbed episodes per task.")
    erratic: int = setting(6, "Episodes per task and erratic disturbance.")
    progress: int = setting(10, "Episodes per task and disturbance that prevents progress.")
    benign: int = setting(8, "Episodes per task and change that must not alarm.")
    seed: int = setting(200_000, "First scene.")
    max_steps: int = setting(80, "Policy steps of 50 ms of every episode; it goes on after success.")
    n_samples: int = setting(8, "Chunks drawn per inference, as many as in deployment.")
    replan_steps: int = setting(0, "Steps between inferences; 0: the checkpoint's.")


@dataclass(frozen=True)
class Trial:
    """One episode to run."""

    split: str
    task: str
    perturbation: str
    seed: int

    @property
    def episode_id(self) -> str:
        """Unique within an evaluation."""
        return f"{self.split}-{self.task}-{self.perturbation or 'none'}-{self.seed}"

    def path(self, folder: Path) -> Path:
        """Where its file goes."""
        return folder / self.split / f"{self.episode_id}{SUFFIX}"


def trials(config: ProtocolConfig) -> list[Trial]:
    """List every episode, grouped by task so that a process keeps its simulator."""
    return [trial for task in config.tasks for trial in _trials_of(config, task)]


def _trials_of(config: ProtocolConfig, task: str) -> list[Trial]:
    plain = {
        TRAINING: config.training,
        CALIBRATION: config.calibration,
        IN_DISTRIBUTION: config.in_distribution,
    }
    conditions = [(split, "", count) for split, count in plain.items()]
    counts = {ERRATIC: config.erratic, PROGRESS: config.progress, BENIGN: config.benign}
    conditions += [(entry.kind, name, counts[entry.kind]) for name, entry in PERTURBATIONS.items()]
    return [
        Trial(split, task, name, config.seed + SEED_STRIDE * place + i)
        for place, (split, name, count) in enumerate(conditions)
        if not name or PERTURBATIONS[name].applies_to(task_named(task))
        for i in range(count)
    ]
