# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""By how much each scored value is divided, so that metres and radians of different joints count alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.columns import ScoredColumns

ROTATION_SCALE_RAD = 1.0
SMALLEST_STD = 1e-6
"""Below this, a column did not move in the demonstrations, and its statistics say nothing about a scale."""


@dataclass(frozen=True)
class ActionScale:
    """Divisors of the scored values.

    Attributes:
        names: Of the scored values, as `ScoredColumns.names`.
        scale: Divisor of each, above 0: the column's unit, or rad for a rotation.

    Raises:
        ValueError: If the numbers do not fit the names or are not above 0.
    """

    names: tuple[str, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "scale", tuple(float(value) for value in self.scale))
        if len(self.names) != len(self.scale) or not self.names:
            raise ValueError(f"{len(self.names)} scored values need as many scales, got {len(self.scale)}")
        for name, value in zip(self.names, self.scale, strict=True):
            if not (np.isfinite(value) and value > 0.0):
                raise ValueError(f"the scale of '{name}' must be finite and above 0, is {value}")

    @classmethod
    def from_statistics(cls, std: Array, columns: ScoredColumns) -> "ActionScale":
        """Take the scale from a checkpoint's action statistics.

        A column whose standard deviation is below 1e-6 keeps its unit (scale 1). A rotation is divided by
        1 rad: the spread of quaternion or matrix entries is no angle.

        Args:
            std: Standard deviations, shape (action_dim,); or (horizon, action_dim) where each future step has
                its own, which are joined by root mean square.
            columns: What is scored.

        Raises:
            ValueError: If the shape does not fit or a number is negative or not finite.
        """
        values = np.asarray(std, dtype=np.float64)
        expected = len(columns.action_names)
        if values.ndim not in (1, 2) or values.size == 0 or values.shape[-1] != expected:
            raise ValueError(
                f"action std must have shape ({expected},) or (horizon, {expected}), has {values.shape}"
            )
        if not np.isfinite(values).all() or (values < 0.0).any():
            raise ValueError(f"action std must be finite and not negative, is {values.tolist()}")
        joined = np.sqrt(np.mean(values.reshape(-1, expected) ** 2, axis=0))
        linear = (float(joined[c]) if joined[c] >= SMALLEST_STD else 1.0 for c in columns.linear)
        return cls(columns.names, (*linear, *(ROTATION_SCALE_RAD for _ in columns.rotations)))

    @classmethod
    def unit(cls, columns: ScoredColumns) -> "ActionScale":
        """Leave every value in its unit."""
        return cls(columns.names, (1.0,) * len(columns.names))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"names": list(self.names), "scale": list(self.scale)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ActionScale":
        """Read what to_dict wrote.

        Raises:
            ValueError: If a key is missing, unknown or of another type.
        """
        if not isinstance(values, Mapping) or set(values) != {"names", "scale"}:
            raise ValueError(f"an action scale has the keys names and scale, got {values!r}")
        names, scale = values["names"], values["scale"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"names must be a list of texts, is {names!r}")
        if not isinstance(scale, list) or not all(type(value) in (int, float) for value in scale):
            raise ValueError(f"scale must be a list of numbers, is {scale!r}")
        return cls(tuple(names), tuple(scale))
