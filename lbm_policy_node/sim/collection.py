# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Collects demonstrations in several processes; each one is a file, so that a collection can resume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lbm_policy_node.core.settings import setting
from lbm_policy_node.sim.demonstrations import Demonstration, DemonstrationConfig, demonstrate
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.processes import run_in_processes
from lbm_policy_node.sim.robot import Scene, SimulatedRobot
from lbm_policy_node.sim.tasks import SLIDERS, TASKS

ATTEMPTS = 20
AJAR_RANGE = (0.3, 0.7)


@dataclass(frozen=True, kw_only=True)
class CollectionConfig:
    """What to collect.

    Attributes:
        tasks: Names of the tasks.
        height, width: Image size in pixels.
        demonstration: How each one is made.
    """

    tasks: tuple[str, ...] = tuple(TASKS)
    episodes: int = setting(100, "Successful demonstrations per task.")
    ajar_episodes: int = setting(
        60,
        "More per drawer and window task, with the part half open, where only the instruction says which "
        "way to move it.",
    )
    seed: int = setting(
        1_000_000,
        "Every placement and disturbance follows from it. Evaluation uses seeds below 1,000,000.",
    )
    height: int = 128
    width: int = 128
    demonstration: DemonstrationConfig = field(default_factory=DemonstrationConfig)


@dataclass(frozen=True)
class Assignment:
    """One demonstration to make: its place in the order of the dataset decides its seeds."""

    number: int
    task: str
    ajar: bool

    def path(self, folder: Path) -> Path:
        """Where its file goes."""
        return folder / f"{self.number:05d}-{self.task}{'-ajar' if self.ajar else ''}.npz"


def assignments(config: CollectionConfig) -> list[Assignment]:
    """List every demonstration, grouped by task so that a process keeps its simulator."""
    kinds = [(task, False) for task in config.tasks for _ in range(config.episodes)]
    kinds += [(task, True) for task in config.tasks if task in SLIDERS for _ in range(config.ajar_episodes)]
    return [Assignment(number, task, ajar) for number, (task, ajar) in enumerate(kinds)]


def collect(config: CollectionConfig, folder: Path, *, processes: int) -> Iterator[int]:
    """Make what is still missing in the folder; yields the number of attempts that each new demonstration
    took.

    Raises:
        RuntimeError: If a task's expert fails too often in a row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [a for a in assignments(config) if not a.path(folder).exists()]
    yield from run_in_processes(fulfil, [(assignment, config, folder) for assignment in missing], processes)


def fulfil(assignment: Assignment, config: CollectionConfig, folder: Path) -> int:
    """Make one demonstration and write its file; returns the attempts it took."""
    robot, expert = _simulator(assignment.task, config.height, config.width)
    for attempt in range(ATTEMPTS):
        seed = config.seed + ATTEMPTS * assignment.number + attempt
        ajar = float(np.random.default_rng([seed, 2]).uniform(*AJAR_RANGE)) if assignment.ajar else None
        scene = Scene(seed=seed, start_offset_m=config.demonstration.start_offset_m, ajar=ajar)
        demonstration = demonstrate(robot, expert, scene, config.demonstration)
        if demonstration is not None:
            save(demonstration, assignment.path(folder))
            return attempt + 1
    raise RuntimeError(f"the expert of '{assignment.task}' failed {ATTEMPTS} times in a row")


def save(demonstration: Demonstration, path: Path) -> None:
    """Write the file of a demonstration, whole or not at all."""
    partial = path.with_suffix(".partial")
    arrays = {f"images.{name}": frames for name, frames in demonstration.images.items()}
    with partial.open("wb") as file:
        np.savez(
            file,
            state=demonstration.state,
            action=demonstration.action,
            instruction=np.array(demonstration.instruction),
            allow_pickle=False,
            **arrays,
        )
    partial.rename(path)


def load(paths: Sequence[Path]) -> Iterator[Demonstration]:
    """Read demonstrations back, in the given order."""
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            images = {
                key.removeprefix("images."): file[key] for key in file.files if key.startswith("images.")
            }
            yield Demonstration(images, file["state"], file["action"], str(file["instruction"]))


_current: list[SimulatedRobot] = []  # of this process; building one costs as much as a demonstration


def _simulator(task: str, height: int, width: int) -> tuple[SimulatedRobot, ScriptedExpert]:
    if not _current or _current[0].task.name != task:
        if _current:
            _current.pop().close()
        _current.append(SimulatedRobot(TASKS[task], height=height, width=width))
    return _current[0], ScriptedExpert(TASKS[task])
