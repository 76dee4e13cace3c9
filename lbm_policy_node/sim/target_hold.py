# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot's controller remembers between commands: the last target and gripper command."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lbm_policy_node.core.types import Array


class TargetHold:
    """Holds the newest valid command, as a Cartesian controller does; an invalid one changes nothing."""

    def __init__(self, *, base_frame: str, position: Array, gripper: float) -> None:
        self._base_frame = base_frame
        self.position, self.gripper = np.array(position, dtype=np.float64), gripper
        self.n_refused = 0
        self._refusals = {"target": "", "gripper": ""}

    @property
    def refusal(self) -> str:
        """Why the newest target or gripper command was not taken; empty when both were."""
        return self._refusals["target"] or self._refusals["gripper"]

    def restart(self, *, position: Array, gripper: float) -> None:
        """Hold here, whatever was asked before (after a reset)."""
        self.position, self.gripper = np.array(position, dtype=np.float64), gripper

    def on_target(self, position: Sequence[float], frame: str) -> str:
        """Take a target position (x, y, z), m; return why not, or an empty text.

        Args:
            position: End-effector target.
            frame: TF frame of the target; empty counts as the base frame.
        """
        if frame not in ("", self._base_frame):
            return self._refuse("target", f"target pose is in frame '{frame}'; expected '{self._base_frame}'")
        if not np.isfinite(position).all():
            return self._refuse("target", f"target position is not finite: {list(position)}")
        self.position = np.array(position, dtype=np.float64)
        self._refusals["target"] = ""
        return ""

    def on_gripper(self, values: Sequence[float]) -> str:
        """Take a gripper command, [-1 opens .. 1 closes]; return why not, or an empty text."""
        if len(values) != 1 or not np.isfinite(values).all():
            return self._refuse("gripper", f"gripper command is {list(values)}; expected one finite value")
        self.gripper = float(values[0])
        self._refusals["gripper"] = ""
        return ""

    def _refuse(self, which: str, why: str) -> str:
        self.n_refused += 1
        self._refusals[which] = why
        return why
