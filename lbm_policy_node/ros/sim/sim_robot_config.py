# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the simulated robot's node."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import SettingError, setting
from lbm_policy_node.sim.tasks import TASKS

_CONTROL_RATE_HZ = 80.0  # of sim.robot, which is not imported here: it brings the physics with it


@dataclass(frozen=True, kw_only=True)
class SimRobotConfig:
    """Which scene is simulated, how fast, and what its cameras deliver."""

    task: str = setting("reach", "Task of the first scene.", choices=tuple(TASKS))
    seed: int = setting(0, "Seed of the first scene.", low=0, high=2**31 - 1)
    image_height: int = setting(128, "Rows of the camera images.", unit="px", low=16, high=2160)
    image_width: int = setting(128, "Columns of the camera images.", unit="px", low=16, high=3840)
    image_rate_hz: float = setting(
        20.0, "Images per simulated second; 80 / n.", unit="Hz", low=0.1, high=80.0
    )
    real_time_factor: float = setting(1.0, "Simulated seconds per wall second.", low=0.01, high=100.0)
    lock_step: bool = setting(False, "Advance only on /sim/step.")
    publish_privileged: bool = setting(
        False, "Publish Meta-World's full state on /sim/privileged, for a scripted operator."
    )
    base_frame: str = setting("base", "Frame of poses and targets.")

    def __post_init__(self) -> None:
        """Check that images fall on ticks.

        Raises:
            SettingError: They do not.
        """
        _ = self.ticks_per_image

    @property
    def ticks_per_image(self) -> int:
        """Control ticks from one image to the next.

        Raises:
            SettingError: If images would not fall on ticks.
        """
        ticks = _CONTROL_RATE_HZ / self.image_rate_hz
        if abs(ticks - round(ticks)) > 1e-6:
            raise SettingError(
                f"image_rate_hz of sim_robot_node is {self.image_rate_hz}; expected {_CONTROL_RATE_HZ:g} / n"
            )
        return round(ticks)
