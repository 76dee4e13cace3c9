# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the simulated robot's node."""

from dataclasses import dataclass

from lbm_policy_node.ros.parameters import ParameterError, parameter
from lbm_policy_node.sim.tasks import TASKS

_CONTROL_RATE_HZ = 80.0  # of sim.robot, which is not imported here: it brings the physics with it


@dataclass(frozen=True, kw_only=True)
class SimRobotConfig:
    """Parameters of the simulated robot."""

    task: str = parameter("reach", "Task of the first scene.", choices=tuple(TASKS))
    seed: int = parameter(0, "Seed of the first scene.", low=0, high=2**31 - 1)
    image_height: int = parameter(128, "Rows of the camera images, pixels.", low=16, high=2160)
    image_width: int = parameter(128, "Columns of the camera images, pixels.", low=16, high=3840)
    image_rate_hz: float = parameter(20.0, "Images per simulated second; 80 / n.", low=0.1, high=80.0)
    real_time_factor: float = parameter(1.0, "Simulated seconds per wall second.", low=0.01, high=100.0)
    lock_step: bool = parameter(False, "Advance only on /sim/step.")
    publish_privileged: bool = parameter(
        False, "Publish Meta-World's full state on /sim/privileged, for a scripted operator."
    )
    base_frame: str = parameter("base", "Frame of poses and targets.")

    @property
    def ticks_per_image(self) -> int:
        """Control ticks from one image to the next.

        Raises:
            ParameterError: If images would not fall on ticks.
        """
        ticks = _CONTROL_RATE_HZ / self.image_rate_hz
        if abs(ticks - round(ticks)) > 1e-6:
            raise ParameterError(
                f"image_rate_hz of sim_robot_node is {self.image_rate_hz}; expected {_CONTROL_RATE_HZ:g} / n"
            )
        return round(ticks)
