# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Demonstrations: what cameras and hand showed at each policy step, and the expert's next target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.settings import setting
from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.robot import MAX_STEP_M, Scene, SimulatedRobot

STATE_NAMES = ("x", "y", "z", "gripper_opening")
ACTION_NAMES = ("x", "y", "z", "gripper")
TICKS_PER_STEP = 4  # 50 ms of the controller's 12.5 ms ticks
STEP_S = TICKS_PER_STEP * 0.0125


@dataclass(frozen=True, kw_only=True)
class DemonstrationConfig:
    """How demonstrations are made."""

    start_offset_m: float = setting(
        0.08, "The hand starts up to this far from the task's own start, per axis.", unit="m"
    )
    noise_m: float = setting(
        0.008,
        "Standard deviation of the disturbance of the executed motion, per axis and step, in half of the "
        "episodes. The recorded action stays the expert's, so recovery is demonstrated (DART, "
        "arXiv:1703.09327).",
        unit="m",
    )
    steps_after_success: int = setting(8, "Steps recorded after success, so that the policy learns to stay.")
    max_steps: int = setting(120, "An episode that takes longer is a failure.")


@dataclass(frozen=True, eq=False)
class Demonstration:
    """A successful episode: images (T, H, W, 3) uint8 RGB, state (T, 4) and action (T, 4) float32, m."""

    images: dict[str, Array]
    state: Array
    action: Array
    instruction: str


def proprio(robot: SimulatedRobot) -> Array:
    """Return the reported state of the hand in the order of STATE_NAMES, float32 (4,), m and share."""
    return np.append(*robot.reported_proprio()).astype(np.float32)


def demonstrate(
    robot: SimulatedRobot, expert: ScriptedExpert, scene: Scene, config: DemonstrationConfig
) -> Demonstration | None:
    """Let the expert act from a scene; None if it fails, because only successes are demonstrations.

    Row t of the action is where the controller stands one step after observation t, hence the spec's lead of
    one step.
    """
    robot.reset(scene)
    rng = np.random.default_rng([scene.seed, 1])
    noise_m = config.noise_m if rng.random() < 0.5 else 0.0
    frames: list[dict[str, Array]] = []
    states, actions = [], []
    succeeded_at: int | None = None
    for step in range(config.max_steps):
        frames.append(robot.images())
        states.append(proprio(robot))
        actions.append(_expert_step(robot, expert, rng.normal(0.0, noise_m, 3)))
        if robot.success and succeeded_at is None:
            succeeded_at = step
        if succeeded_at is not None and step >= succeeded_at + config.steps_after_success:
            break
    if succeeded_at is None:
        return None
    images = {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
    return Demonstration(images, np.stack(states), np.stack(actions), robot.task.instruction)


def _expert_step(robot: SimulatedRobot, expert: ScriptedExpert, disturbance_m: Array) -> Array:
    """Run one policy step; return the target that the undisturbed expert would have reached, (4,) float32."""
    per_tick = disturbance_m / TICKS_PER_STEP
    target = robot.commanded_position
    gripper = 0.0
    for _ in range(TICKS_PER_STEP):
        delta, gripper = expert.act(robot)
        target = target + delta * MAX_STEP_M
        robot.tick_by(delta + per_tick / MAX_STEP_M, gripper)
    low, high = robot.environment.mocap_low, robot.environment.mocap_high
    return np.append(np.clip(target, low, high), gripper).astype(np.float32)
