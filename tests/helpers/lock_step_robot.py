# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot in the place of the fake one: a test ticks it."""

from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.parameter import Parameter

from lbm_policy_node.ros.sim.sim_robot_node import SimRobotNode


class LockStepRobot(SimRobotNode):
    """The simulated robot's node, ticked by the test; keeps the targets that it gets."""

    def __init__(self, **parameters: Any) -> None:
        """Lay out the first scene."""
        self.targets: list[PoseStamped] = []
        values = {"lock_step": True, **parameters}
        super().__init__(parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])

    @property
    def now_ns(self) -> int:
        """Simulated time."""
        return self._session.now_ns

    @property
    def success(self) -> bool:
        """Whether the task is solved at present."""
        return self._session.robot.success

    @property
    def task(self) -> str:
        """Name of the task of the present scene."""
        return self._session.robot.task.name

    def tick(self) -> None:
        """Advance one control tick."""
        self._advance()

    def _on_target(self, message: PoseStamped) -> None:
        self.targets.append(message)
        super()._on_target(message)
