# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Flow matching: paths, times and integrators."""

from typing import Any

import numpy as np
import pytest
import torch

from lbm_policy_node.policies.multitask_dit.flow_matching import FlowMatching


def test_path_starts_at_noise_and_ends_at_data(small: Any) -> None:
    data, noise = torch.randn(2, 8, 3), torch.randn(2, 8, 3)
    x, target = FlowMatching(small.config()).training_pair(data, noise, torch.tensor([0.0, 1.0]))
    assert torch.equal(x[0], noise[0])
    assert torch.equal(x[1], data[1])
    assert torch.equal(target, data - noise)


def test_minimum_noise_stays_at_the_end_of_the_path(small: Any) -> None:
    data, noise = torch.randn(1, 8, 3), torch.randn(1, 8, 3)
    x, target = FlowMatching(small.config(sigma_min=0.1)).training_pair(data, noise, torch.tensor([1.0]))
    assert torch.allclose(x, data + 0.1 * noise, atol=1e-6)
    assert torch.allclose(target, data - 0.9 * noise, atol=1e-6)


def test_uniform_times_fill_the_interval(small: Any) -> None:
    torch.manual_seed(0)
    times = FlowMatching(small.config(timestep_sampling_strategy="uniform")).draw_times(4000, torch.zeros(1))
    assert times.min() >= 0 and times.max() < 1
    assert times.mean().item() == pytest.approx(0.5, abs=0.02)


def test_beta_times_favour_noise_and_stop_at_the_threshold(small: Any) -> None:
    torch.manual_seed(0)
    times = FlowMatching(small.config(timestep_sampling_s=0.9)).draw_times(4000, torch.zeros(1))
    assert times.max() <= 0.9
    assert times.mean().item() == pytest.approx(0.9 * (1 - 0.6), abs=0.02), "mean of Beta(1.5, 1) is 0.6"


def test_euler_follows_the_float32_grid(small: Any) -> None:
    calls: list[float] = []

    def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
        calls.append(t)
        return torch.full_like(x, t)

    flow = FlowMatching(small.config(num_integration_steps=10))
    end = flow.sample(velocity, torch.zeros(1, 1, 1), lambda: torch.zeros(1))
    grid = np.linspace(0, 1, 11).astype(np.float32)
    assert np.allclose(calls, grid[:-1], atol=1e-7)
    assert tuple(calls) == flow.times()
    assert end.item() == pytest.approx(float((np.diff(grid) * grid[:-1]).sum()), abs=1e-6)


def test_rk4_equals_a_hand_written_integration(small: Any) -> None:
    def velocity(x: Any, t: float) -> Any:
        return -2.0 * x * t + np.cos(3.0 * t)

    flow = FlowMatching(small.config(integration_method="rk4", num_integration_steps=4))
    asked: list[float] = []

    def network(x: torch.Tensor, t: float) -> torch.Tensor:
        asked.append(t)
        return velocity(x, t)

    found = flow.sample(network, torch.full((1, 1, 1), 0.7, dtype=torch.float64), lambda: torch.zeros(1))
    x, h = 0.7, 0.25
    for t in (0.0, 0.25, 0.5, 0.75):
        k1 = velocity(x, t)
        k2 = velocity(x + h / 2 * k1, t + h / 2)
        k3 = velocity(x + h / 2 * k2, t + h / 2)
        k4 = velocity(x + h * k3, t + h)
        x += h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    assert found.item() == pytest.approx(x, abs=1e-12)
    assert set(asked) == set(flow.times())


def test_rk4_converges_with_the_fourth_power(small: Any) -> None:
    def error(steps: int) -> float:
        flow = FlowMatching(small.config(integration_method="rk4", num_integration_steps=steps))
        start = torch.ones(1, 1, 1, dtype=torch.float64)
        return abs(flow.sample(lambda x, t: x, start, lambda: start).item() - np.e)

    assert error(4) / error(8) == pytest.approx(16, rel=0.2)
