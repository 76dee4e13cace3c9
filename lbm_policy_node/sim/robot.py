# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: one Meta-World scene behind a Cartesian position controller.

The controller accepts an absolute target for the end effector and a gripper command, at its own rate (80 Hz
of simulated time), and moves at most 1 cm per axis and tick, which is Meta-World's own action range
(arXiv:1910.10897).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.sawyer_xyz_env import SawyerXYZEnv

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.cameras import CameraRig
from lbm_policy_node.sim.perturbations import Perturbation
from lbm_policy_node.sim.pristine import PristineModel
from lbm_policy_node.sim.tasks import SLIDERS, Task

CONTROL_RATE_HZ = 80.0
TICK_NS = 12_500_000
MAX_STEP_M = 0.01
GRIPPER_OPEN = -1.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """How an episode starts.

    Attributes:
        seed: Draws the placement of the objects, as Meta-World does, and everything below.
        start_offset_m: The hand starts at a random offset of at most this much per axis.
        ajar: If set, the drawer or window starts at this share of its opening (0 closed, 1 open), placed by
            the box that the opening and the closing task share. Same seed and share: the same picture for
            both instructions.
    """

    seed: int
    start_offset_m: float = 0.0
    ajar: float | None = None


class SimulatedRobot:
    """Steps the physics, tracks a Cartesian target, and reports what sensors would. Not thread-safe.

    Attributes:
        perturbations: Who disturbs the episode that the next reset begins; may be changed before each.
    """

    def __init__(
        self,
        task: Task,
        *,
        height: int = 128,
        width: int = 128,
        perturbations: Sequence[Perturbation] = (),
    ) -> None:
        self.task = task
        self.perturbations: Sequence[Perturbation] = tuple(perturbations)
        self.environment = _fully_observable_environment(task)
        if not task.goal_is_visible:
            _hide_goal(self.environment.model)
        self._cameras = CameraRig(self.environment.model, height=height, width=width)
        self._pristine = PristineModel(self.environment.model)
        self._observation = np.zeros(39)
        self.success = False
        self.reward = 0.0
        self.ticks = 0

    def reset(self, scene: Scene) -> None:
        """Lay out the scene as built, bring the hand to its start, and clear the success flag."""
        if self._pristine.restore():
            self.reload_meshes()
        rng = np.random.default_rng(scene.seed)
        environment = self.environment
        environment._freeze_rand_vec = scene.ajar is not None
        if scene.ajar is not None:
            environment._last_rand_vec = self._slider.placement(rng)
        environment.seed(scene.seed)
        self._observation, _ = environment.reset()
        if scene.ajar is not None:
            environment.data.joint(self._slider.joint).qpos = scene.ajar * self._slider.open_position_m
        self._settle(self._start_position(rng, scene.start_offset_m))
        self.success, self.reward, self.ticks = False, 0.0, 0
        for perturbation in self.perturbations:
            perturbation.on_reset(self)

    def tick(self, target: Array, gripper: float) -> None:
        """Advance one control tick (12.5 ms) towards the target.

        Args:
            target: End-effector target, shape (3,), m, base frame.
            gripper: -1 opens, 1 closes.
        """
        for perturbation in self.perturbations:
            target, gripper = perturbation.before_tick(self, target, gripper)
        self.tick_by(np.subtract(target, self.commanded_position) / MAX_STEP_M, gripper)

    def tick_by(self, delta: Array, gripper: float) -> None:
        """Advance one control tick by a step, shape (3,), 1 being 1 cm (Meta-World's own action)."""
        action = np.clip(np.append(delta, gripper), -1.0, 1.0).astype(np.float32)
        self.environment.curr_path_length = 0  # the episode's length is ours to decide
        self._observation, reward, _, _, info = self.environment.step(action)
        self.reward = float(reward)
        self.success = bool(info["success"])
        self.ticks += 1

    def images(self) -> dict[str, Array]:
        """Render every camera: name -> uint8 RGB (height, width, 3)."""
        images = self._cameras.render(self.environment.data)
        for perturbation in self.perturbations:
            images = perturbation.on_images(self, images)
        return images

    def reported_proprio(self) -> tuple[Array, float]:
        """Position, shape (3,), m, and gripper opening as the sensors report them, faults included."""
        position, opening = self.position, self.gripper_opening
        for perturbation in self.perturbations:
            position, opening = perturbation.on_proprio(self, position, opening)
        return position, opening

    def place_hand(self, position: Array) -> None:
        """Bring the open hand to a position, shape (3,), m; it takes no time of the episode."""
        ticks = self.ticks
        low, high = self.environment.mocap_low, self.environment.mocap_high
        self._settle(np.clip(position, low + 0.01, high))
        self.success, self.reward, self.ticks = False, 0.0, ticks

    def reload_meshes(self) -> None:
        """Let the cameras see changed meshes; everything else they see anyway."""
        self._cameras.close()  # graphics memory has copies of the old ones

    @property
    def commanded_position(self) -> Array:
        """The controller's current target of the end effector, shape (3,), m."""
        return self.environment.data.mocap_pos[0].copy()

    @property
    def position(self) -> Array:
        """Measured end-effector position, shape (3,), m."""
        return self._observation[:3].copy()

    @property
    def orientation_xyzw(self) -> Array:
        """Measured end-effector orientation."""
        w, x, y, z = self.environment.data.body("hand").xquat
        return np.array([x, y, z, w])

    @property
    def gripper_opening(self) -> float:
        """Measured opening, 0 closed to 1 open."""
        return float(self._observation[3])

    @property
    def privileged_observation(self) -> Array:
        """Meta-World's full state, shape (39,), which the scripted experts read and a policy never sees."""
        return self._observation.copy()

    @property
    def opening(self) -> float:
        """Share by which the drawer or window is open, 0 to 1."""
        return float(self.environment.data.joint(self._slider.joint).qpos[0] / self._slider.open_position_m)

    @property
    def arm_joints(self) -> tuple[list[str], Array, Array]:
        """Names, positions (rad) and velocities (rad/s) of the seven arm joints."""
        names = [f"right_j{i}" for i in range(7)]
        joints = [self.environment.data.joint(name) for name in names]
        return names, np.array([j.qpos[0] for j in joints]), np.array([j.qvel[0] for j in joints])

    def close(self) -> None:
        """Release the renderer, which the next picture would make again."""
        self._cameras.close()

    @property
    def _slider(self):
        if self.task.name not in SLIDERS:
            raise ValueError(
                f"task '{self.task.name}' has no drawer or window; those that do: {', '.join(SLIDERS)}"
            )
        return SLIDERS[self.task.name]

    def _start_position(self, rng: np.random.Generator, offset_m: float) -> Array:
        low, high = self.environment.mocap_low, self.environment.mocap_high
        offset = rng.uniform(-offset_m, offset_m, 3) * (1.0, 1.0, 0.5)
        return np.clip(self.commanded_position + offset, low + 0.01, high)

    def _settle(self, start: Array, ticks: int = 24) -> None:
        for _ in range(ticks):
            self.tick_by(np.subtract(start, self.commanded_position) / MAX_STEP_M, GRIPPER_OPEN)


def _fully_observable_environment(task: Task) -> SawyerXYZEnv:
    """Build the environment so that seeds place the objects and the scripted expert sees the goal.

    Meta-World reaches this state only through its pickled task lists, which we do not read.
    """
    environment = ALL_V3_ENVIRONMENTS[task.environment]()
    environment.seeded_rand_vec = True
    environment._freeze_rand_vec = False
    environment._set_task_called = True
    environment._partially_observable = False
    environment.__dict__.pop("sawyer_observation_space", None)  # cached with the goal's bounds at zero
    return environment


def _hide_goal(model: mujoco.MjModel) -> None:
    for index in range(model.nsite):
        if model.site(index).name == "goal":
            model.site(index).rgba[3] = 0.0
