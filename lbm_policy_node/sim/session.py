# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot that lives on through many episodes: its clock, controller and scene."""

from __future__ import annotations

from typing import Final

from lbm_policy_node.sim.options import ResetOptions
from lbm_policy_node.sim.perturbations import Perturbation
from lbm_policy_node.sim.perturbations.catalogue import make_perturbations
from lbm_policy_node.sim.perturbations.delayed import Delayed
from lbm_policy_node.sim.robot import CONTROL_RATE_HZ, GRIPPER_OPEN, TICK_NS, Scene, SimulatedRobot
from lbm_policy_node.sim.target_hold import TargetHold
from lbm_policy_node.sim.tasks import task_named

START_NS: Final = 100_000_000_000
"""Simulated time at the start: not 0, which ROS reads as "no time yet"."""
RESET_NS: Final = 40 * TICK_NS
"""Simulated time that a reset takes: more than the maximum age of any stream, for the hand leaps."""
LONGEST_STEPS: Final = 125
"""Policy steps of Meta-World's own episode, for disturbances that are timed by it."""


class SimulationSession:
    """Ticks one scene after another on one clock, which only grows. Not thread-safe: it owns a renderer."""

    def __init__(self, *, task: str, seed: int, height: int, width: int, base_frame: str) -> None:
        """Lay out the first scene.

        Args:
            task: Name of the task.
            seed: Seed of the scene.
            height: Rows of the camera images.
            width: Columns of the camera images.
            base_frame: Frame that targets must be in.
        """
        self._height, self._width = height, width
        self.now_ns = START_NS
        self.robot = self._make_robot(task)
        self.robot.reset(Scene(seed=seed))
        self.hold = TargetHold(
            base_frame=base_frame, position=self.robot.commanded_position, gripper=GRIPPER_OPEN
        )

    def advance(self) -> None:
        """Run one control tick towards the held target."""
        self.robot.tick(self.hold.position, self.hold.gripper)
        self.now_ns += TICK_NS

    def reset(self, *, task: str, seed: int, options: ResetOptions) -> None:
        """Lay out a scene and hold where the hand is; RESET_NS pass: no measurement outlives its scene."""
        if task != self.robot.task.name:
            self.robot.close()
            self.robot = self._make_robot(task)
        scene = Scene(seed=seed, start_offset_m=options.start_offset_m, ajar=options.ajar)
        self.robot.perturbations = self._perturbations(seed, options)
        self.robot.reset(scene)
        self.hold.restart(position=self.robot.commanded_position, gripper=GRIPPER_OPEN)
        self.now_ns += RESET_NS

    def close(self) -> None:
        """Release the renderer."""
        self.robot.close()

    def _perturbations(self, seed: int, options: ResetOptions) -> tuple[Perturbation, ...]:
        disturbed = make_perturbations(
            options.perturbation, task=self.robot.task, seed=seed, max_steps=LONGEST_STEPS
        )
        if not options.perturbation_after_s:
            return disturbed.perturbations
        first_tick = round(options.perturbation_after_s * CONTROL_RATE_HZ)
        return tuple(Delayed(hook, first_tick) for hook in disturbed.perturbations)

    def _make_robot(self, task: str) -> SimulatedRobot:
        return SimulatedRobot(task_named(task), height=self._height, width=self._width)
