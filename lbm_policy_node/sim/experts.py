# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Meta-World's scripted experts as a source of demonstrations and as a stand-in for an operator."""

from __future__ import annotations

import warnings

import numpy as np
from metaworld.policies import ENV_POLICY_MAP

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.robot import SimulatedRobot
from lbm_policy_node.sim.tasks import Task

# the experts ask for more than the controller gives, and are clipped: that is how they are meant
warnings.filterwarnings("ignore", message=r"Constant\(s\) may be too high")


class ScriptedExpert:
    """Acts on the simulator's true state; has no memory, so it can take over at any moment."""

    def __init__(self, task: Task) -> None:
        self._policy = ENV_POLICY_MAP[task.environment]()
        self._speed = task.expert_speed

    def act(self, robot: SimulatedRobot) -> tuple[Array, float]:
        """Return the next tick's step, shape (3,), 1 being 1 cm per tick, and the gripper command."""
        return self.act_on(robot.privileged_observation)

    def act_on(self, observation: Array) -> tuple[Array, float]:
        """Return the same for Meta-World's full state, shape (39,), however it was obtained."""
        # some experts write into what they read
        action = np.clip(self._policy.get_action(np.array(observation, dtype=np.float64)), -1.0, 1.0)
        return np.clip(action[:3], -self._speed, self._speed), float(action[3])
