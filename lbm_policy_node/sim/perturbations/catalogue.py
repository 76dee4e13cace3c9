# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every disturbance by name: its kind, the tasks it applies to, and how to draw one by seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lbm_policy_node.sim.perturbations import recipes
from lbm_policy_node.sim.perturbations.episode import Draws, PerturbedEpisode
from lbm_policy_node.sim.perturbations.recipes import Recipe
from lbm_policy_node.sim.perturbations.scene_objects import OBJECTS
from lbm_policy_node.sim.tasks import TASKS, Task

Kind = Literal["erratic", "progress", "benign"]
ANY = tuple(TASKS)
WITH_OBJECT = tuple(OBJECTS)
GRASPING = ("pick-place", "peg-insert")
WITH_GOAL = ("reach", "push", "pick-place", "peg-insert")


@dataclass(frozen=True)
class Entry:
    """One disturbance.

    Attributes:
        kind: erratic (the policy is led out of what it knows), progress (it acts consistently, but the task
            does not advance) or benign (nothing that should alarm).
        text: What happens, in one line.
        tasks: Names of the tasks it applies to.
        recipe: Draws it.
    """

    kind: Kind
    text: str
    tasks: tuple[str, ...]
    recipe: Recipe

    def applies_to(self, task: Task) -> bool:
        """Whether the task has what this disturbs."""
        return task.name in self.tasks


_of = recipes.of
PERTURBATIONS: dict[str, Entry] = {
    "object_scale": Entry(
        "erratic", "object or handle 1.4 to 2 times as large", WITH_OBJECT, _of(recipes.object_scale)
    ),
    "object_friction": Entry(
        "erratic", "object much more slippery or sticky", WITH_OBJECT, _of(recipes.object_friction)
    ),
    "start_outside": Entry("erratic", "hand starts outside the trained starts", ANY, recipes.start_outside),
    "teleport": Entry("erratic", "object jumps 3 to 8 cm on approach", WITH_OBJECT, recipes.teleport),
    "latency": Entry("erratic", "chunks arrive 0.1 to 0.3 s late", ANY, recipes.latency),
    "proprio_noise": Entry(
        "erratic", "reported hand position is noisy by 3 to 6 cm", ANY, _of(recipes.proprio_noise)
    ),
    "frozen_proprio": Entry(
        "erratic", "reported hand position stands still at times", ANY, _of(recipes.frozen_proprio)
    ),
    "action_noise": Entry("erratic", "targets are noisy by 2 to 6 cm", ANY, _of(recipes.action_noise)),
    "camera_noise": Entry("erratic", "strong pixel noise", ANY, _of(recipes.camera_noise)),
    "occlusion": Entry("erratic", "patch in front of the front camera", ANY, _of(recipes.occlusion)),
    "wrong_instruction": Entry(
        "progress",
        "another task's instruction, the opposite if there is one",
        ANY,
        recipes.wrong_instruction,
    ),
    "moved_goal": Entry(
        "progress", "goal moves 8 to 15 cm after first contact", WITH_GOAL, _of(recipes.moved_goal)
    ),
    "weak_gripper": Entry(
        "progress", "fingers close with 0.5 to 3 % of their force", GRASPING, _of(recipes.weak_gripper)
    ),
    "lost_gain": Entry("progress", "arm covers 20 to 50 % of the way", ANY, _of(recipes.lost_gain)),
    "welded": Entry("progress", "object cannot be moved", WITH_OBJECT, _of(recipes.welded)),
    "light": Entry("benign", "light 15 % darker to brighter", ANY, _of(recipes.light)),
    "tint": Entry("benign", "colour gains off by up to 2 %", ANY, _of(recipes.tint)),
    "small_shift": Entry(
        "benign", "object shifted 1 to 1.5 cm within its range", WITH_OBJECT, _of(recipes.small_shift)
    ),
}


def make_perturbations(name: str, *, task: Task, seed: int, max_steps: int) -> PerturbedEpisode:
    """Draw a disturbance; the same arguments give the same one.

    Args:
        name: Key of PERTURBATIONS; empty for none.
        task: The task that is disturbed.
        seed: Draws magnitudes and noise.
        max_steps: Longest duration of the episode, policy steps.

    Raises:
        ValueError: Unknown name, or a task without what it disturbs.
    """
    if not name:
        return PerturbedEpisode()
    if name not in PERTURBATIONS:
        raise ValueError(f"unknown perturbation '{name}'; known: {', '.join(PERTURBATIONS)}")
    entry = PERTURBATIONS[name]
    if not entry.applies_to(task):
        raise ValueError(
            f"perturbation '{name}' does not apply to task '{task.name}', but to {', '.join(entry.tasks)}"
        )
    draws = Draws(np.random.default_rng([seed, zlib.crc32(name.encode())]))
    return entry.recipe(draws, task, max_steps)
