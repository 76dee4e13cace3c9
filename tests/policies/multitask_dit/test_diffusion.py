# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Diffusion schedules and steps against formulas written out independently in float64 numpy."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from lbm_policy_node.policies.multitask_dit.diffusion import Diffusion, alphas_cumprod

SHAPE = (2, 8, 3)


def cosine_levels(count: int) -> np.ndarray:
    def level(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - level((i + 1) / count) / level(i / count), 0.999) for i in range(count)]
    return np.cumprod(1 - np.array(betas))


def test_cosine_schedule(small: Any) -> None:
    config = small.config(objective="diffusion", num_train_timesteps=50)
    assert np.allclose(alphas_cumprod(config).numpy(), cosine_levels(50), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("schedule", ["linear", "scaled_linear"])
def test_linear_schedules(small: Any, schedule: str) -> None:
    config = small.config(objective="diffusion", beta_schedule=schedule, beta_start=0.001, beta_end=0.3)
    power = 1 if schedule == "linear" else 2
    betas = np.linspace(0.001 ** (1 / power), 0.3 ** (1 / power), 20) ** power
    assert np.allclose(alphas_cumprod(config).numpy(), np.cumprod(1 - betas), rtol=1e-5)


def test_leading_time_steps(small: Any) -> None:
    config = small.config(objective="diffusion", num_train_timesteps=100, num_inference_steps=10)
    assert Diffusion(config).times() == tuple(range(90, -1, -10))


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
@pytest.mark.parametrize("clip", [True, False])
def test_ddpm_is_the_gaussian_posterior(small: Any, prediction: str, clip: bool) -> None:
    config = small.config(
        objective="diffusion",
        prediction_type=prediction,
        clip_sample=clip,
        clip_sample_range=0.7,
        num_inference_steps=10,
    )
    generator = np.random.default_rng(0)
    outputs = {t: generator.normal(size=SHAPE) for t in Diffusion(config).times()}
    noises = [generator.normal(size=SHAPE) for _ in range(10)]
    start = generator.normal(size=SHAPE)
    drawn = iter(noises)
    found = Diffusion(config).sample(
        lambda x, t: torch.tensor(outputs[int(t)], dtype=torch.float32),
        torch.tensor(start, dtype=torch.float32),
        lambda: torch.tensor(next(drawn), dtype=torch.float32),
    )
    levels, x = cosine_levels(20), start
    for index, t in enumerate(range(18, -1, -2)):
        now, before = levels[t], levels[t - 2] if t >= 2 else 1.0
        clean = outputs[t]
        if prediction == "epsilon":
            clean = (x - math.sqrt(1 - now) * outputs[t]) / math.sqrt(now)
        clean = np.clip(clean, -0.7, 0.7) if clip else clean
        # posterior of q(x_before | x_now, clean): two Gaussians multiplied, by precision weighting
        step = now / before
        if t == 0:
            x = clean
            continue
        precision = step / (1 - step) + 1 / (1 - before)
        x = (math.sqrt(step) / (1 - step) * x + math.sqrt(before) / (1 - before) * clean) / precision
        x = x + math.sqrt(1 / precision) * noises[index]
    assert np.abs(found.numpy() - x).max() <= 1e-4 * max(1.0, np.abs(x).max())
    assert len(list(drawn)) == 1, "the last step draws no noise"


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_ddim_keeps_the_noise_estimate_when_it_clips(small: Any, prediction: str) -> None:
    config = small.config(
        objective="diffusion", noise_scheduler_type="DDIM", prediction_type=prediction, num_inference_steps=5
    )
    generator = np.random.default_rng(0)
    outputs = {t: generator.normal(size=SHAPE) for t in Diffusion(config).times()}
    start = generator.normal(size=SHAPE)

    def no_noise() -> torch.Tensor:
        raise AssertionError("DDIM draws no noise")

    found = Diffusion(config).sample(
        lambda x, t: torch.tensor(outputs[int(t)], dtype=torch.float32),
        torch.tensor(start, dtype=torch.float32),
        no_noise,
    )
    levels, x = cosine_levels(20), start
    for t in range(16, -1, -4):
        now, before = levels[t], levels[t - 4] if t >= 4 else 1.0
        if prediction == "epsilon":
            noise, clean = outputs[t], (x - math.sqrt(1 - now) * outputs[t]) / math.sqrt(now)
        else:
            noise, clean = (x - math.sqrt(now) * outputs[t]) / math.sqrt(1 - now), outputs[t]
        x = math.sqrt(before) * np.clip(clean, -1, 1) + math.sqrt(1 - before) * noise
    assert np.abs(found.numpy() - x).max() <= 1e-4 * max(1.0, np.abs(x).max())


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_training_pair_mixes_by_variance(small: Any, prediction: str) -> None:
    config = small.config(objective="diffusion", prediction_type=prediction)
    data, noise = torch.randn(SHAPE), torch.randn(SHAPE)
    x, target = Diffusion(config).training_pair(data, noise, torch.tensor([0, 19]))
    level = torch.tensor(cosine_levels(20)[[0, 19]], dtype=torch.float32)[:, None, None]
    assert torch.allclose(x, level.sqrt() * data + (1 - level).sqrt() * noise, atol=1e-6)
    assert torch.equal(target, noise if prediction == "epsilon" else data)


def test_training_times_cover_all_steps(small: Any) -> None:
    times = Diffusion(small.config(objective="diffusion")).draw_times(2000, torch.zeros(1))
    assert sorted(set(times.tolist())) == list(range(20))
