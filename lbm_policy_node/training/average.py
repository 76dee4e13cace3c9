# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The exponential average of the weights, which is what a run saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class Average(Protocol):
    """What follows a model in training and is saved in its place."""

    module: nn.Module
    n_averaged: Tensor

    def update_parameters(self, model: nn.Module) -> None:
        """Follow the model by one step."""
        ...

    def to(self, device: torch.device) -> Any:
        """Move to a device."""
        ...


class NoAverage:
    """The model itself in the place of its average: nothing is held twice."""

    def __init__(self, model: nn.Module) -> None:
        self.module, self.n_averaged = model, torch.zeros((), dtype=torch.long)

    def update_parameters(self, model: nn.Module) -> None:
        """Nothing to follow."""

    def to(self, device: torch.device) -> NoAverage:
        """The model is moved by its owner."""
        return self


def averaged(model: nn.Module, decay: float) -> Average:
    """Return a copy of the model that follows it slowly; with a decay of 0 the model itself.

    The decay of update n is min(decay, (1 + n) / (10 + n)), as in LeRobot and diffusers, so that the initial
    weights are forgotten early in a run.
    """

    if decay == 0:
        return NoAverage(model)

    def update(averages: Sequence[Tensor], weights: Sequence[Tensor], updates: Tensor | int) -> None:
        n = float(updates)
        share = 1.0 - min(decay, (1.0 + n) / (10.0 + n))
        torch._foreach_lerp_(list(averages), list(weights), share)

    return AveragedModel(model, multi_avg_fn=update)
