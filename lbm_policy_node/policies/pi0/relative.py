# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Relative actions of pi0 and pi0.5: a joint's target minus its measured value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RelativeActions:
    """Which action columns are relative to the state value in the same column; LeRobot's rule."""

    enabled: bool = False
    exclude_joints: tuple[str, ...] = ()
    """A column whose name contains one of these, in any case, stays absolute."""
    action_names: tuple[str, ...] | None = None
    """Names of the columns; without them every column is relative."""

    def mask(self, width: int) -> NDArray[np.bool_]:
        """Which of `width` columns are relative."""
        if not self.enabled:
            return np.zeros(width, dtype=bool)
        words = [word.lower() for word in self.exclude_joints if word]
        names = (self.action_names or ())[:width]
        kept = [any(word in name.lower() for word in words) for name in names]
        return ~np.array([*kept, *[False] * (width - len(kept))], dtype=bool)

    def to_relative(self, actions: Array, state: Array) -> Array:
        """Actions (..., chunk, n) minus the state (..., m), m >= n."""
        return actions - self._offset(actions, state)

    def to_absolute(self, actions: Array, state: Array) -> Array:
        """The inverse of `to_relative`."""
        return actions + self._offset(actions, state)

    def check(self, state_dim: int, action_dim: int) -> None:
        """Every relative column needs its state value.

        Raises:
            CheckpointError: The state is too narrow.
        """
        if self.enabled and state_dim < action_dim:
            raise CheckpointError(
                "", "relative_actions_processor", f"needs a state of {action_dim} values, it has {state_dim}"
            )

    def _offset(self, actions: Array, state: Array) -> Array:
        width = actions.shape[-1]
        if not self.enabled:
            return np.zeros(width)
        return np.where(self.mask(width), state[..., :width], 0.0)[..., None, :]
