# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a score is and how it is described in a calibration file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lbm_policy_node.monitors.pair import SamplePair


class Score(Protocol):
    """Says how much two consecutive sets of samples disagree."""

    @property
    def name(self) -> str:
        """As in `scores.registry.SCORES`."""
        ...

    @property
    def min_samples(self) -> int:
        """Samples that each of the two chunks must have."""
        ...

    @property
    def needs_embedding(self) -> bool:
        """Whether the current chunk must carry the policy's embedding of the observation."""
        ...

    def __call__(self, pair: SamplePair) -> float:
        """Return a finite number; larger is less consistent."""
        ...


@dataclass(frozen=True)
class ScoreConfig:
    """Which score, and the numbers it needs.

    Attributes:
        name: One of `scores.registry.SCORES`.
        bandwidth_floor: Squared distance in scaled units below which a kernel's bandwidth does not shrink,
            learned at calibration: the median over pairs of `SamplePair.median_squared_distance`. 0 is none.
        parameters: What else a score lets one choose.

    Raises:
        ValueError: If the floor is negative or not finite, or a parameter is neither number nor text.
    """

    name: str
    bandwidth_floor: float = 0.0
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a score needs a name, got {self.name!r}")
        floor = self.bandwidth_floor
        if type(floor) not in (int, float) or not (math.isfinite(floor) and floor >= 0.0):
            raise ValueError(f"bandwidth_floor of '{self.name}' must be finite and at least 0, is {floor!r}")
        if not isinstance(self.parameters, Mapping):
            raise ValueError(f"parameters of '{self.name}' must be a mapping, is {self.parameters!r}")
        for key, value in self.parameters.items():
            if type(value) not in (int, float, str):
                raise ValueError(f"parameter '{key}' of '{self.name}' must be a number or text, is {value!r}")
        object.__setattr__(self, "bandwidth_floor", float(floor))
        object.__setattr__(self, "parameters", dict(self.parameters))

    def number(self, key: str, default: float) -> float:
        """Return a parameter that must be a finite number.

        Raises:
            ValueError: If it is not.
        """
        value = self.parameters.get(key, default)
        if isinstance(value, str) or not math.isfinite(value):
            raise ValueError(f"parameter '{key}' of '{self.name}' must be a finite number, is {value!r}")
        return float(value)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "bandwidth_floor": self.bandwidth_floor,
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ScoreConfig":
        """Read what to_dict wrote.

        Raises:
            ValueError: If a key is missing, unknown or of another type.
        """
        keys = {"name", "bandwidth_floor", "parameters"}
        if not isinstance(values, Mapping) or set(values) != keys:
            raise ValueError(f"a score has the keys {sorted(keys)}, got {values!r}")
        return cls(values["name"], values["bandwidth_floor"], values["parameters"])
