# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The hand starts where no demonstration started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.sim.perturbations.perturbation import Undisturbed

if TYPE_CHECKING:
    from lbm_policy_node.sim.robot import SimulatedRobot


@dataclass(frozen=True)
class StartOutside(Undisturbed):
    """Brings the hand to an offset from the task's own start, before the episode begins.

    Attributes:
        offset_m: x, y and z, m; cut off at the edge of the workspace.
    """

    offset_m: tuple[float, float, float]

    def on_reset(self, robot: SimulatedRobot) -> None:
        """Go there."""
        start = robot.environment.hand_init_pos
        assert start is not None, "every task of Meta-World's declares where the hand starts"
        robot.place_hand(np.add(start, self.offset_m))
