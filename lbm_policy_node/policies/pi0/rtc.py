# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Real-time chunking: a new chunk that continues the one in execution (arXiv:2506.07339).

As in LeRobot, the correction is the plain weighted error of the predicted actions, where the paper has its
vector-Jacobian product; so there is no backward pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SCHEDULES = ("ZEROS", "ONES", "LINEAR", "EXP")


def prefix_weights(schedule: str, delay: int, execution_horizon: int, chunk: int) -> Tensor:
    """How strongly each row must follow the previous chunk, (chunk,).

    Args:
        schedule: Shape of the fall: ZEROS (nothing after the delay), ONES, LINEAR, or EXP.
        delay: Rows that will be executed before the new chunk arrives: weight 1.
        execution_horizon: Rows from here on are free.
        chunk: Rows of the chunk.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule is {schedule!r}, expected one of {SCHEDULES}")
    end = min(execution_horizon, chunk)
    start = min(delay, end)
    weights = torch.zeros(chunk)
    weights[: end if schedule == "ONES" else start] = 1.0
    if schedule in ("LINEAR", "EXP") and end > start:
        fall = torch.linspace(1, 0, end - start + 2)[1:-1]
        weights[start:end] = fall * torch.expm1(fall) / (math.e - 1) if schedule == "EXP" else fall
    return weights


@dataclass(frozen=True, eq=False)
class Guidance:
    """Pulls the velocity so that the first rows follow what is left of the previous chunk."""

    previous: Tensor
    """Normalised actions (B, rows, dims); missing rows and dimensions count as 0."""
    delay: int
    execution_horizon: int
    schedule: str = "LINEAR"
    max_weight: float = 10.0

    def __call__(self, x: Tensor, velocity: Tensor, t: float) -> Tensor:
        """The guided velocity at x (N, chunk, width) and time t."""
        rows, width = x.shape[1:]
        previous = self.previous[:, :rows].to(x)
        previous = functional.pad(
            previous, (0, width - previous.shape[2], 0, rows - previous.shape[1])
        ).repeat_interleave(len(x) // len(previous), dim=0)
        end = min(self.execution_horizon, self.previous.shape[1])
        weights = prefix_weights(self.schedule, self.delay, end, rows).to(x)[None, :, None]
        error = (previous - (x - t * velocity)) * weights
        return velocity - self._strength(t) * error

    def _strength(self, t: float) -> float:
        """((1 - tau)^2 + tau^2) / (tau (1 - tau)) with tau = 1 - t, at most `max_weight`."""
        tau = 1.0 - t
        if tau * t <= 0.0:
            return self.max_weight
        return min((t * t + tau * tau) / (tau * t), self.max_weight)
