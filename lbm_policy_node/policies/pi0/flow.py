# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Flow matching (arXiv:2210.02747) with pi0's direction: time 1 is noise, time 0 is the action."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lbm_policy_node.policies.pi0.config import Pi0Config

Velocity = Callable[[Tensor, float], Tensor]
"""(x of shape (N, chunk, width), time) to the velocity towards noise, same shape."""


def times(steps: int) -> tuple[float, ...]:
    """The times at which the integrator asks for the velocity, first to last."""
    return tuple(1.0 + index * (-1.0 / steps) for index in range(steps))


def integrate(velocity: Velocity, noise: Tensor, steps: int) -> Tensor:
    """Euler steps from noise (time 1) to actions (time 0)."""
    x = noise
    for t in times(steps):
        x = x + (-1.0 / steps) * velocity(x, t)
    return x


def draw_times(config: Pi0Config, count: int, device: torch.device) -> Tensor:
    """Training times (count,): a Beta distribution that favours noise, kept away from 0."""
    beta = torch.distributions.Beta(config.time_sampling_beta_alpha, config.time_sampling_beta_beta)
    return (
        beta.sample((count,)) * config.time_sampling_scale + config.time_sampling_offset
    ).to(device)  # fmt: skip


def training_pair(actions: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The point on the straight path at t (B,), and the path's velocity; actions (B, chunk, width)."""
    time = t[:, None, None]
    return time * noise + (1 - time) * actions, noise - actions


def embed_time(t: Tensor, size: int, min_period: float, max_period: float) -> Tensor:
    """Sine and cosine of t (B,) at `size / 2` periods, spaced evenly in their logarithm; float32 (B, size).

    Computed in float64, because the shortest period is 250 times shorter than the time's range.
    """
    fraction = torch.linspace(0.0, 1.0, size // 2, dtype=torch.float64, device=t.device)
    period = min_period * (max_period / min_period) ** fraction
    angles = (1.0 / period * 2 * math.pi)[None, :] * t[:, None]
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(t.dtype)
