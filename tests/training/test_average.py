# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The average of the weights follows them, quickly at first."""

import pytest
import torch

from lbm_policy_node.training.average import averaged


def test_average_follows_the_stated_recursion():
    model = torch.nn.Linear(1, 1, bias=False)
    average = averaged(model, decay=0.5)
    expected = None
    for n, value in enumerate([4.0, 1.0, -2.0, 8.0]):
        torch.nn.init.constant_(model.weight, value)
        average.update_parameters(model)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = value if expected is None else decay * expected + (1 - decay) * value
        assert average.module.get_parameter("weight").item() == pytest.approx(expected, rel=1e-6)


def test_initial_weights_are_forgotten_early_despite_a_slow_decay():
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 100.0)
    average = averaged(model, decay=0.9999)
    average.update_parameters(model)
    torch.nn.init.constant_(model.weight, 0.0)
    for _ in range(100):
        average.update_parameters(model)
    assert abs(average.module.get_parameter("weight").item()) < 1e-3
