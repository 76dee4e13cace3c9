# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The seam between the network and what it is trained to predict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Network = Callable[[Tensor, float], Tensor]
"""(x of shape (B, horizon, action_dim), time of all rows) to the network's output of the same shape."""
NoiseSource = Callable[[], Tensor]
"""Fresh standard normal noise of the shape of the sample."""


class Objective(Protocol):
    """How noisy actions are made for training and turned into actions for inference."""

    def draw_times(self, count: int, like: Tensor) -> Tensor:
        """Random training times (count,) from torch's default generator, on the device of `like`."""
        ...

    def training_pair(self, data: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """(network input, target) for clean data and noise (B, horizon, action_dim) at times (B,)."""
        ...

    def times(self) -> tuple[float, ...]:
        """Every time at which `sample` calls the network."""
        ...

    def sample(self, network: Network, noise: Tensor, step_noise: NoiseSource) -> Tensor:
        """Turn initial noise (B, horizon, action_dim) into normalised actions of the same shape."""
        ...
