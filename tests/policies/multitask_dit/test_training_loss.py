# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What training relies on: several draws per encoding, masks, frozen towers, and that it learns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lbm_policy_node.policies.multitask_dit.checkpoint import load_checkpoint


@pytest.mark.parametrize("objective", ["diffusion", "flow_matching"])
def test_draws_average_the_losses_of_single_draws(small: Any, objective: str) -> None:
    model = small.model(small.config(objective=objective))
    batch = small.batch(model.config)
    noise, t = torch.randn(6, 8, 3), model.objective.draw_times(6, torch.zeros(1))
    with torch.no_grad():
        single = [model.loss(batch, noise[i : i + 2], t[i : i + 2]) for i in (0, 2, 4)]
        together = model.loss(batch, noise, t, draws=3)
    assert together.item() == pytest.approx(torch.stack(single).mean().item(), rel=1e-5)


def test_draws_encode_the_observation_once(small: Any) -> None:
    model = small.model()
    calls = []
    model.observation_encoder.register_forward_hook(lambda *_: calls.append(1))
    model.loss(small.batch(model.config), draws=4)
    assert len(calls) == 1


def test_draw_order_is_noise_then_time(small: Any) -> None:
    model = small.model()
    batch = small.batch(model.config)
    with torch.no_grad():
        torch.manual_seed(5)
        drawn = model.loss(batch)
        torch.manual_seed(5)
        noise = torch.randn(2, 8, 3)
        t = model.objective.draw_times(2, noise)
        assert torch.equal(model.loss(batch, noise, t), drawn)


def test_padded_steps_do_not_count_when_masked(small: Any) -> None:
    model = small.model(small.config(do_mask_loss_for_padding=True))
    batch = small.batch(model.config)
    batch["action_is_pad"][0, 5:] = True
    noise, t = torch.randn(2, 8, 3), torch.tensor([0.2, 0.7])
    with torch.no_grad():
        x, target = model.objective.training_pair(batch["action"], noise, t)
        error = (model.network(x, t, model.encode(batch)) - target).square()
        expected = torch.cat([error[0, :5], error[1]]).mean()
        assert model.loss(batch, noise, t).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_each_future_step_counts_by_its_weight_in_every_draw(small: Any, masked: bool) -> None:
    model = small.model(small.config(do_mask_loss_for_padding=masked))
    batch = small.batch(model.config)
    batch["action_is_pad"][1, 6:] = True
    noise, t = torch.randn(4, 8, 3), torch.tensor([0.2, 0.7, 0.4, 0.9])
    weights = torch.rand(2, 8) * 2
    with torch.no_grad():
        x, target = model.objective.training_pair(batch["action"].repeat(2, 1, 1), noise, t)
        error = (model.network(x, t, model.encode(batch).repeat(2, 1)) - target).square().mean(-1)
        counted = ~batch["action_is_pad"].repeat(2, 1) if masked else torch.ones(4, 8, dtype=torch.bool)
        expected = (error * torch.cat([weights, weights]))[counted].mean()
        weighted = model.loss({**batch, "action_weight": weights}, noise, t, draws=2)
        assert weighted.item() == pytest.approx(expected.item(), rel=1e-5)
        equal = model.loss({**batch, "action_weight": torch.ones(2, 8)}, noise, t, draws=2)
        assert equal.item() == pytest.approx(model.loss(batch, noise, t, draws=2).item(), rel=1e-6)


@pytest.mark.parametrize("trained", [False, True])
def test_text_tower_is_trained_only_when_asked(small: Any, trained: bool) -> None:
    model = small.model(train_text_tower=trained).train()
    model.loss(small.batch(model.config)).backward()
    weight = model.observation_encoder.text_encoder.text_encoder.text_model.embeddings.token_embedding.weight
    assert (weight.grad is not None) == trained
    assert model.observation_encoder.text_encoder.projection.weight.grad is not None


@pytest.mark.slow
def test_training_makes_the_instruction_decide(small: Any) -> None:
    """Same observation, two instructions, two opposite actions: only the text can tell them apart."""
    config = small.config(n_obs_steps=1, dropout=0.0)
    torch.manual_seed(0)
    model = small.model(config, shake=False, train_text_tower=True).train()
    batch = small.batch(config)
    for key in ("observation.state", "observation.images.front"):
        batch[key] = batch[key][:1].expand_as(batch[key])
    batch["action"] = torch.tensor([-0.8, 0.8])[:, None, None].expand(2, 8, 3).clone()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        model(batch, draws=8).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        sample = model.sample(model.encode(batch), torch.randn(2, 8, 3))
    assert (sample - batch["action"]).abs().max() < 0.4


@pytest.mark.parametrize("trained", [False, True])
def test_loaded_checkpoint_can_be_fine_tuned_with_its_text_tower(
    small: Any, small_checkpoint: Callable[..., Path], trained: bool
) -> None:
    model = load_checkpoint(small_checkpoint(), train_text_tower=trained).model.train()
    model(small.batch(model.config)).backward()
    tower = model.observation_encoder.text_encoder.text_encoder
    assert all(p.requires_grad == trained for p in tower.parameters())
    assert any(p.grad is not None for p in tower.parameters()) == trained
    vision = model.observation_encoder.vision_encoder.model.vision_model.embeddings.patch_embedding.weight
    assert vision.requires_grad and vision.grad is not None
