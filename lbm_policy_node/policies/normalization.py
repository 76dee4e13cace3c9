# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Normalisation of policy inputs and outputs with LeRobot's modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.checkpoint.field_types import check_types

Stats = Mapping[str, Mapping[str, Tensor]]
"""Feature key to statistic ("min", "max", "mean", "std", "q01", ...) to tensor."""
REQUIRED_STATS = {
    "IDENTITY": (),
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}


@dataclass(frozen=True)
class Normalizer:
    """Maps features to the range the network was trained in, and back.

    Statistics broadcast over leading axes. Action statistics of shape (horizon, action_dim) normalise each
    future step by its own (our extension); then the step axis must be there.

    Raises:
        CheckpointError: A feature lacks statistics (LeRobot would pass it through silently), or their shape
            differs.
    """

    features: Mapping[str, Feature]
    norm_map: Mapping[str, str]
    """Feature type to mode; a type that is not in it is passed through."""
    stats: Stats
    eps: float = 1e-8
    """Added to std, and takes the place of a zero range."""
    action_steps: int | None = None
    """The horizon, where action statistics are per time step."""

    def __post_init__(self) -> None:
        check_types(self)
        for key, feature in self.features.items():
            for name in self._required(key):
                shape = self._expected_shape(feature)
                stat = self.stats.get(key, {}).get(name)
                if stat is None:
                    raise CheckpointError("", f"{key}.{name}", f"is missing for mode {self.mode(key)}")
                if tuple(_as_image(stat, feature).shape) != shape:
                    raise CheckpointError(
                        "", f"{key}.{name}", f"has shape {tuple(stat.shape)}, expected {shape}"
                    )

    def mode(self, key: str) -> str:
        """How a feature is normalised."""
        return self.norm_map.get(self.features[key].type, "IDENTITY")

    def normalize(self, key: str, value: Tensor) -> Tensor:
        """Physical units to network units, same shape."""
        first, second = self._pair(key)
        if first is None or second is None:
            return value
        if self.mode(key) == "MEAN_STD":
            return (value - first) / (second + self.eps)
        return 2 * (value - first) / self._range(first, second) - 1

    def unnormalize(self, key: str, value: Tensor) -> Tensor:
        """Network units to physical units, same shape."""
        first, second = self._pair(key)
        if first is None or second is None:
            return value
        if self.mode(key) == "MEAN_STD":
            return value * second + first
        return (value + 1) / 2 * self._range(first, second) + first

    def to(self, device: torch.device | str) -> Normalizer:
        """The same with its statistics on a device."""
        stats = {key: {name: t.to(device) for name, t in entry.items()} for key, entry in self.stats.items()}
        return Normalizer(self.features, self.norm_map, stats, self.eps, self.action_steps)

    def _range(self, low: Tensor, high: Tensor) -> Tensor:
        width = high - low
        return torch.where(width == 0, torch.full_like(width, self.eps), width)

    def _pair(self, key: str) -> tuple[Tensor | None, Tensor | None]:
        """The two statistics of the feature's mode, shaped to broadcast."""
        names = self._required(key)
        if not names:
            return None, None
        first, second = (_as_image(self.stats[key][name], self.features[key]) for name in names)
        return first, second

    def _required(self, key: str) -> tuple[str, ...]:
        mode = self.mode(key)
        if not isinstance(mode, str) or mode not in REQUIRED_STATS:
            raise CheckpointError(
                "", f"norm_map.{self.features[key].type}", f"is {mode!r}, expected {REQUIRED_STATS}"
            )
        return REQUIRED_STATS[mode]

    def _expected_shape(self, feature: Feature) -> tuple[int, ...]:
        if feature.type == "VISUAL":
            return (feature.shape[0], 1, 1)
        if feature.type == "ACTION" and self.action_steps is not None:
            return (self.action_steps, *feature.shape)
        return feature.shape


def _as_image(stat: Tensor, feature: Feature) -> Tensor:
    """Per-channel statistics of an image, flat or (C, 1, 1), as (C, 1, 1)."""
    return stat.reshape(-1, 1, 1) if feature.type == "VISUAL" and stat.numel() == feature.shape[0] else stat
