# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Flow matching (arXiv:2210.02747) with LeRobot's direction: time 0 is noise, time 1 is data."""

from __future__ import annotations

import torch
from torch import Tensor

from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.objective import Network, NoiseSource


class FlowMatching:
    """Straight paths from noise to data, integrated with Euler or the classic Runge-Kutta method."""

    def __init__(self, config: MultiTaskDiTConfig) -> None:
        self._config = config

    def draw_times(self, count: int, like: Tensor) -> Tensor:
        """Uniform times, or s * (1 - u) with u from a Beta distribution, (count,)."""
        if self._config.timestep_sampling_strategy == "uniform":
            return torch.rand(count, device=like.device)
        alpha, beta = self._config.timestep_sampling_alpha, self._config.timestep_sampling_beta
        u = torch.distributions.Beta(alpha, beta).sample((count,)).to(like.device)
        return self._config.timestep_sampling_s * (1.0 - u)

    def training_pair(self, data: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The point on the path at `t`, and the path's velocity."""
        time = t[:, None, None].to(data.dtype)
        kept = 1.0 - self._config.sigma_min
        return time * data + (1 - kept * time) * noise, data - kept * noise

    def times(self) -> tuple[float, ...]:
        """Every time at which the integrator asks for the velocity."""
        asked: list[float] = []
        for t, dt in self._steps():
            asked += [t] if self._config.integration_method == "euler" else [t, t + dt / 2, t + dt]
        return tuple(dict.fromkeys(asked))

    def sample(self, network: Network, noise: Tensor, step_noise: NoiseSource) -> Tensor:
        """Integrate from noise (time 0) to actions (time 1); no further noise is taken."""
        step = self._euler if self._config.integration_method == "euler" else self._rk4
        x = noise
        for t, dt in self._steps():
            x = step(network, x, t, dt)
        return x

    def _steps(self) -> list[tuple[float, float]]:
        """(time, step) pairs; both are float32 numbers, as in the reference."""
        grid = torch.linspace(0, 1, self._config.num_integration_steps + 1, dtype=torch.float32)
        return list(zip(grid[:-1].tolist(), (grid[1:] - grid[:-1]).tolist(), strict=True))

    @staticmethod
    def _euler(network: Network, x: Tensor, t: float, dt: float) -> Tensor:
        return x + dt * network(x, t)

    @staticmethod
    def _rk4(network: Network, x: Tensor, t: float, dt: float) -> Tensor:
        k1 = network(x, t)
        k2 = network(x + dt * k1 / 2, t + dt / 2)
        k3 = network(x + dt * k2 / 2, t + dt / 2)
        k4 = network(x + dt * k3, t + dt)
        return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
