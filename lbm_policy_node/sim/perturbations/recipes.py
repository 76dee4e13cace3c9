# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How each disturbance is drawn: the ranges of its magnitudes are here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lbm_policy_node.sim.perturbations.displacement import SmallShift, Teleport
from lbm_policy_node.sim.perturbations.episode import Draws, PerturbedEpisode
from lbm_policy_node.sim.perturbations.gripper import WeakGripper
from lbm_policy_node.sim.perturbations.light import Light
from lbm_policy_node.sim.perturbations.motion import ActionNoise, LostGain
from lbm_policy_node.sim.perturbations.moved_goal import MovedGoal
from lbm_policy_node.sim.perturbations.object_friction import ObjectFriction
from lbm_policy_node.sim.perturbations.object_scale import ObjectScale
from lbm_policy_node.sim.perturbations.perturbation import Perturbation
from lbm_policy_node.sim.perturbations.pictures import CameraNoise, Occlusion, Tint
from lbm_policy_node.sim.perturbations.proprioception import FrozenProprio, ProprioNoise
from lbm_policy_node.sim.perturbations.start_outside import StartOutside
from lbm_policy_node.sim.perturbations.welded import Welded
from lbm_policy_node.sim.tasks import OPPOSITES, TASKS, Task

TICKS_PER_STEP = 4
TYPICAL_STEPS = 30
"""Policy steps that the trained tasks take, about."""
FULL_STEP_M = 0.04
"""What the controller can move per axis in one policy step."""
TRAINED_START_M = 0.08
"""Demonstrations started at most this far from the task's own start, per axis (half of it in z)."""

Recipe = Callable[[Draws, Task, int], PerturbedEpisode]
"""Draws an episode's disturbance for a task; the last argument is the longest duration, policy steps."""


def of(make: Callable[[Draws], Perturbation]) -> Recipe:
    """Make a recipe of one hook that depends on neither task nor duration."""
    return lambda draws, task, max_steps: PerturbedEpisode(perturbations=(make(draws),), drawn=draws.drawn)


def object_scale(draws: Draws) -> Perturbation:
    """1.4 to 2 times as large."""
    return ObjectScale(draws.uniform("scale", 1.4, 2.0))


def object_friction(draws: Draws) -> Perturbation:
    """0.3 to 0.6 or 1.8 to 3 times the friction: near 1 nothing would change."""
    low, high = ((0.3, 0.6), (1.8, 3.0))[draws.integer("rougher", 0, 1)]
    return ObjectFriction(draws.uniform("friction_factor", low, high))


def start_outside(draws: Draws, task: Task, max_steps: int) -> PerturbedEpisode:
    """20 to 200 % outside the box of trained starts on one side (10 to 24 cm), within it otherwise."""
    sideways = TRAINED_START_M * draws.uniform("box_factor", 1.2, 3.0)
    if draws.integer("to_the_right", 0, 1):
        sideways = -sideways
    y = draws.uniform("y_m", -TRAINED_START_M, TRAINED_START_M)
    z = draws.uniform("z_m", -TRAINED_START_M / 2, TRAINED_START_M / 2)
    return PerturbedEpisode(perturbations=(StartOutside((sideways, y, z)),), drawn=draws.drawn)


def teleport(draws: Draws, task: Task, max_steps: int) -> PerturbedEpisode:
    """3 to 8 cm in any direction of the table, after 10 to 40 % of the typical duration."""
    distance = draws.uniform("distance_m", 0.03, 0.08)
    angle = draws.uniform("angle_rad", -np.pi, np.pi)
    step = draws.uniform("at_step", 0.1, 0.4) * min(TYPICAL_STEPS, max_steps)
    draws.drawn["at_step"] = float(round(step))
    hook = Teleport(distance_m=distance, angle_rad=angle, at_tick=round(step) * TICKS_PER_STEP)
    return PerturbedEpisode(perturbations=(hook,), drawn=draws.drawn)


def latency(draws: Draws, task: Task, max_steps: int) -> PerturbedEpisode:
    """2 to 6 policy steps, 0.1 to 0.3 s."""
    return PerturbedEpisode(latency_steps=draws.integer("latency_steps", 2, 6), drawn=draws.drawn)


def proprio_noise(draws: Draws) -> Perturbation:
    """3 to 6 cm per axis; the opening by 5 to 15 % of its range."""
    sigma = draws.uniform("sigma_m", 0.03, 0.06)
    return ProprioNoise(sigma, draws.uniform("sigma_opening", 0.05, 0.15), draws.seed())


def frozen_proprio(draws: Draws) -> Perturbation:
    """For 10 to 20 policy steps at a time, 4 to 8 apart, from one of the first eight steps on."""
    return FrozenProprio(
        first_tick=TICKS_PER_STEP * draws.integer("first_step", 0, 7),
        frozen_ticks=TICKS_PER_STEP * draws.integer("frozen_steps", 10, 20),
        live_ticks=TICKS_PER_STEP * draws.integer("live_steps", 4, 8),
    )


def action_noise(draws: Draws) -> Perturbation:
    """0.5 to 1.5 of the controller's largest policy step (4 cm) per axis, drawn for each step.

    The shipped checkpoint shrugs off 0.1 to 0.3.
    """
    sigma = FULL_STEP_M * draws.uniform("sigma_share", 0.5, 1.5)
    return ActionNoise(sigma, TICKS_PER_STEP, draws.seed())


def camera_noise(draws: Draws) -> Perturbation:
    """30 to 80 of 255 levels."""
    return CameraNoise(draws.uniform("sigma_levels", 30.0, 80.0), draws.seed())


def occlusion(draws: Draws) -> Perturbation:
    """A patch of 35 to 55 % of the front image's height and width, over the middle."""
    size = draws.uniform("size_share", 0.35, 0.55)
    top = draws.uniform("top_share", 0.2, 0.8 - size)
    return Occlusion("front", top, draws.uniform("left_share", 0.2, 0.8 - size), size)


def wrong_instruction(draws: Draws, task: Task, max_steps: int) -> PerturbedEpisode:
    """The opposite for what slides, otherwise any other task's instruction."""
    opposites = {**dict(OPPOSITES), **{closed: opened for opened, closed in OPPOSITES}}
    others = [name for name in TASKS if name != task.name]
    place = draws.integer("other_task", 0, len(others) - 1)
    given = TASKS[opposites.get(task.name, others[place])]
    draws.drawn["other_task"] = float(list(TASKS).index(given.name))
    return PerturbedEpisode(instruction=given.instruction, drawn=draws.drawn)


def moved_goal(draws: Draws) -> Perturbation:
    """8 to 15 cm in any direction of the table."""
    distance = draws.uniform("distance_m", 0.08, 0.15)
    angle = draws.uniform("angle_rad", -np.pi, np.pi)
    return MovedGoal(distance * np.array([np.cos(angle), np.sin(angle), 0.0]))


def weak_gripper(draws: Draws) -> Perturbation:
    """0.5 to 3 % of the force: with 10 % both tasks still succeed."""
    return WeakGripper(draws.uniform("force_factor", 0.005, 0.03))


def lost_gain(draws: Draws) -> Perturbation:
    """0.2 to 0.5 of the commanded way."""
    return LostGain(draws.uniform("gain", 0.2, 0.5))


def welded(draws: Draws) -> Perturbation:
    """Nothing to draw."""
    return Welded()


def light(draws: Draws) -> Perturbation:
    """0.85 to 1.15 times the light at the camera and of the lamps, drawn separately."""
    return Light(draws.uniform("headlight_factor", 0.85, 1.15), draws.uniform("lamp_factor", 0.85, 1.15))


def tint(draws: Draws) -> Perturbation:
    """0.98 to 1.02 per channel: at 0.9 to 1.1 the shipped checkpoint fails, so that would not be benign."""
    red, green, blue = (draws.uniform(f"{name}_gain", 0.98, 1.02) for name in ("red", "green", "blue"))
    return Tint((red, green, blue))


def small_shift(draws: Draws) -> Perturbation:
    """1 to 1.5 cm in any direction of the table, as far as training varied the object that way."""
    distance = draws.uniform("distance_m", 0.01, 0.015)
    return SmallShift(distance_m=distance, angle_rad=draws.uniform("angle_rad", -np.pi, np.pi))
