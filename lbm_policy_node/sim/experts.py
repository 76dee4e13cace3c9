# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Meta-World's scripted experts as a source of demonstrations and as a stand-in for a person."""

from __future__ import annotations

import numpy as np
from metaworld.policies import ENV_POLICY_MAP

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.robot import SimulatedRobot
from lbm_policy_node.sim.tasks import Task


class ScriptedExpert:
    """Acts on the simulator's true state; has no memory, so it can take over at any moment."""

    def __init__(self, task: Task) -> None:
        self._policy = ENV_POLICY_MAP[task.environment]()

    def act(self, robot: SimulatedRobot) -> tuple[Array, float]:
        """Return the next tick's action: a velocity-like step, shape (3,) in [-1, 1] (1 is 1 cm per tick), and the gripper."""
        action = np.clip(self._policy.get_action(robot.privileged_observation), -1.0, 1.0)
        return action[:3], float(action[3])
