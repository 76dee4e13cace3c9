# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The auxiliary target is what the docs say, can join a run later, and leaves no trace in the checkpoint."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from lbm_policy_node.training.config import TrainConfig
from lbm_policy_node.training.loop import train
from lbm_policy_node.training.multitask_dit.blueprint import from_scratch
from lbm_policy_node.training.multitask_dit.goal_head import Learner
from lbm_policy_node.training.samples import GOAL_KEY, ChunkSamples

QUICK = TrainConfig(steps=3, batch_size=8, draws=1, warmup_steps=1, checkpoint_every=3, log_every=1)


def test_the_goal_is_the_last_action_of_the_episode_normalised(dataset, tiny):
    samples = ChunkSamples(dataset, from_scratch(dataset, tiny, QUICK).config)
    goal = samples.batch(np.array([0, 11, 12]))[GOAL_KEY]
    action, stats = dataset.vectors["action"], dataset.stats["action"]
    for row, last in zip(goal, (11, 11, 31), strict=True):
        np.testing.assert_allclose(row, (action[last] - stats["mean"]) / stats["std"], atol=1e-3)


def test_the_weight_scales_what_the_goal_adds_to_the_policys_loss(dataset, tiny):
    policy = from_scratch(dataset, tiny, QUICK).model.eval()
    batch = {
        "observation.state": torch.zeros(4, 1, 4),
        "observation.images.front": torch.zeros(4, 1, 3, 32, 32),
        "observation.language.tokens": torch.zeros(4, tiny.text_length, dtype=torch.int64),
        "action": torch.zeros(4, tiny.horizon, 4),
        GOAL_KEY: torch.ones(4, 4),
    }
    learner, extra = Learner(policy, 1.0), {}
    for weight in (1.0, 3.0):
        learner.goal_weight = weight
        torch.manual_seed(0)
        loss, shown = learner(batch, draws=1)
        extra[weight] = float(loss.detach() - shown)
    assert extra[1.0] > 0.1
    assert extra[3.0] == pytest.approx(3 * extra[1.0], rel=1e-4)


@pytest.mark.slow
def test_a_run_can_take_the_goal_up_later_and_drop_it_again(dataset, tiny, tmp_path):
    names = []
    for steps, weight in ((3, 0.0), (5, 1.0), (7, 1.0), (9, 0.0)):
        config = replace(QUICK, steps=steps, goal_weight=weight)
        folder = train(dataset, tmp_path / "run", config, tiny, device="cpu")
        names.append(set(load_file(folder / "model.safetensors")))
    assert folder.name == "000009"
    assert all(name == names[0] for name in names)
