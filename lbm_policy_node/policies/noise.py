# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The noise of K samples, so that sample k is the same whatever K is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

STRIDE = 0x9E3779B97F4A7C15
"""Distance of the samples' seeds: the golden ratio times 2^64, so that neighbouring seeds share no sample."""


class SampleNoise:
    """One CPU generator per sample; sample 0 draws what LeRobot draws after torch.manual_seed(seed)."""

    def __init__(self, seed: int, count: int, shape: Sequence[int], device: torch.device) -> None:
        """Prepare `count` generators for noise of `shape` (horizon, action_dim) on a device."""
        self._generators = [
            torch.Generator("cpu").manual_seed((seed + k * STRIDE) % 2**63) for k in range(count)
        ]
        self._shape = (1, *shape)
        self._device = device

    def __call__(self) -> Tensor:
        """The next noise, (count, horizon, action_dim)."""
        rows = [torch.randn(self._shape, generator=generator) for generator in self._generators]
        return torch.cat(rows).to(self._device)
