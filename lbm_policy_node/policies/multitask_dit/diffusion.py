# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Diffusion: DDPM (arXiv:2006.11239) and DDIM (arXiv:2010.02502) with the numbers of diffusers."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.objective import Network, NoiseSource


def alphas_cumprod(config: MultiTaskDiTConfig) -> Tensor:
    """The signal's share of variance after each step, float32 (num_train_timesteps,)."""
    count, start, end = config.num_train_timesteps, config.beta_start, config.beta_end
    if config.beta_schedule == "linear":
        betas = torch.linspace(start, end, count, dtype=torch.float32, device="cpu")
    elif config.beta_schedule == "scaled_linear":
        betas = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float32, device="cpu") ** 2
    else:
        levels = [math.cos((i / count + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(count + 1)]
        ratios = [min(1 - after / before, 0.999) for before, after in itertools.pairwise(levels)]
        betas = torch.tensor(ratios, dtype=torch.float32, device="cpu")
    return torch.cumprod(1.0 - betas, dim=0)


class Diffusion:
    """Training pairs and samplers; "leading" time steps, fixed small variance, DDIM eta 0."""

    def __init__(self, config: MultiTaskDiTConfig) -> None:
        self._config = config
        self._alphas = alphas_cumprod(config)
        self._stride = config.num_train_timesteps // config.inference_steps

    def draw_times(self, count: int, like: Tensor) -> Tensor:
        """Uniform whole steps (count,)."""
        return torch.randint(0, self._config.num_train_timesteps, (count,), device=like.device)

    def training_pair(self, data: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Noisy actions, and the noise or the clean actions as the target."""
        alpha = self._alphas.to(data.device, data.dtype)[t][:, None, None]
        noisy = alpha.sqrt() * data + (1 - alpha).sqrt() * noise
        return noisy, noise if self._config.prediction_type == "epsilon" else data

    def times(self) -> tuple[int, ...]:
        """The steps of the sampler, descending."""
        return tuple(i * self._stride for i in reversed(range(self._config.inference_steps)))

    def sample(self, network: Network, noise: Tensor, step_noise: NoiseSource) -> Tensor:
        """Denoise; DDPM takes one `step_noise()` after every step but the last, DDIM takes none."""
        step = self._ddpm if self._config.noise_scheduler_type == "DDPM" else self._ddim
        x = noise
        for t in self.times():
            x = step(x, t, network(x, t), step_noise)
        return x

    def _ddpm(self, x: Tensor, t: int, output: Tensor, step_noise: NoiseSource) -> Tensor:
        """The posterior mean of the previous step plus its noise."""
        alpha, before = self._levels(t)
        clean = self._clip(self._clean(x, output, alpha))
        ratio = alpha / before
        beta = 1 - ratio
        mean = before.sqrt() * beta / (1 - alpha) * clean + ratio.sqrt() * (1 - before) / (1 - alpha) * x
        if t == 0:
            return mean
        variance = torch.clamp((1 - before) / (1 - alpha) * beta, min=1e-20)
        return mean + variance.sqrt() * step_noise()

    def _ddim(self, x: Tensor, t: int, output: Tensor, step_noise: NoiseSource) -> Tensor:
        """The deterministic step; the noise estimate is not changed by the clip of the clean actions."""
        alpha, before = self._levels(t)
        clean = self._clean(x, output, alpha)
        epsilon = output
        if self._config.prediction_type == "sample":
            epsilon = (x - alpha.sqrt() * clean) / (1 - alpha).sqrt()
        return before.sqrt() * self._clip(clean) + (1 - before).sqrt() * epsilon

    def _levels(self, t: int) -> tuple[Tensor, Tensor]:
        """Signal levels at `t` and at the sampler's next step; 1 past the last one."""
        previous = t - self._stride
        before = self._alphas[previous] if previous >= 0 else torch.tensor(1.0)
        return self._alphas[t], before

    def _clean(self, x: Tensor, output: Tensor, alpha: Tensor) -> Tensor:
        if self._config.prediction_type == "sample":
            return output
        return (x - (1 - alpha).sqrt() * output) / alpha.sqrt()

    def _clip(self, clean: Tensor) -> Tensor:
        bound = self._config.clip_sample_range
        return clean.clamp(-bound, bound) if self._config.clip_sample else clean
