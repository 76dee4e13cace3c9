# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The diffusion transformer: attention variants, time embedding, and the faster inference path."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from lbm_policy_node.policies.multitask_dit.hoisted import HoistedNetwork
from lbm_policy_node.policies.multitask_dit.network import (
    RopeAttention,
    SinusoidalEmbedding,
    TransformerBlock,
)


def shaken_block(config: Any, cond_dim: int = 10) -> TransformerBlock:
    torch.manual_seed(0)
    block = TransformerBlock(config, cond_dim).eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return block


def test_block_without_rope_is_torch_multihead_attention(small: Any) -> None:
    block = shaken_block(small.config(use_rope=False))
    reference = nn.MultiheadAttention(32, 4, batch_first=True).eval()
    reference.load_state_dict(block.multihead_attn.state_dict())
    assert {n.split(".")[0] for n in block.state_dict()} == {"multihead_attn", "mlp", "adaLN_modulation"}
    x, cond = torch.randn(2, 8, 32), torch.randn(2, 10)
    with torch.no_grad():
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            part[:, None] for part in block.adaLN_modulation(cond).split(32, dim=1)
        )
        norm = nn.LayerNorm(32, elementwise_affine=False, eps=1e-6)
        h = norm(x) * (1 + scale_a) + shift_a
        expected = x + gate_a * reference(h, h, h)[0]
        expected = expected + gate_m * block.mlp(norm(expected) * (1 + scale_m) + shift_m)
        assert torch.allclose(block(x, block.adaLN_modulation(cond)), expected, atol=1e-6)


def test_rope_attention_equals_rotation_by_complex_numbers(small: Any) -> None:
    torch.manual_seed(0)
    attention = RopeAttention(small.config()).eval()
    x = torch.randn(1, 8, 32)
    with torch.no_grad():
        q, k, v = attention.qkv_proj(x)[0].reshape(8, 3, 4, 8).permute(1, 2, 0, 3)
        angles = torch.outer(torch.arange(8.0), 10000.0 ** (-torch.arange(4.0) / 4))
        turn = torch.polar(torch.ones_like(angles), angles)

        def rotate(z: torch.Tensor) -> torch.Tensor:
            pairs = torch.complex(z[..., :4], z[..., 4:]) * turn
            return torch.cat([pairs.real, pairs.imag], dim=-1)

        scores = rotate(q) @ rotate(k).transpose(1, 2) / math.sqrt(8)
        heads = scores.softmax(-1) @ v
        expected = attention.out_proj(heads.transpose(0, 1).reshape(8, 32))
        assert torch.allclose(attention(x)[0], expected, atol=1e-5)


def test_time_embedding_runs_from_one_to_a_ten_thousandth() -> None:
    out = SinusoidalEmbedding(8)(torch.tensor([2.0]))[0]
    for k in range(4):
        angle = 2.0 * math.exp(-math.log(10000) * k / 3)
        assert out[k].item() == pytest.approx(math.sin(angle), abs=1e-6)
        assert out[4 + k].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_learned_positions_are_added_to_the_input(small: Any) -> None:
    model = small.model(small.config(use_positional_encoding=True, use_rope=False))
    assert model.noise_predictor.pos_embedding.shape == (1, 8, 32)
    cond = torch.randn(1, model.observation_encoder.conditioning_dim)
    x, t = torch.zeros(1, 8, 3), torch.tensor([0.5])
    with torch.no_grad():
        different_rows = model.network(x, t, cond)
        model.noise_predictor.pos_embedding.zero_()
        equal_rows = model.network(x, t, cond)
    assert not torch.allclose(different_rows[:, 0], different_rows[:, 5], atol=1e-4)
    assert torch.allclose(equal_rows[:, 0], equal_rows[:, 5], atol=1e-6)


def test_fresh_blocks_are_identities(small: Any) -> None:
    model = small.model(shake=False)
    x, cond = torch.randn(1, 8, 3), torch.randn(1, model.observation_encoder.conditioning_dim)
    network = model.noise_predictor
    with torch.no_grad():
        expected = network.output_proj(network.input_proj(x))
        assert torch.allclose(network(x, torch.tensor([0.3]), cond), expected)


@pytest.mark.parametrize("rope", [True, False])
def test_dropout_acts_in_training_only(small: Any, rope: bool) -> None:
    model = small.model(small.config(use_rope=rope, dropout=0.5))
    arguments = (
        torch.randn(1, 8, 3),
        torch.tensor([0.3]),
        torch.randn(1, model.observation_encoder.conditioning_dim),
    )
    with torch.no_grad():
        assert torch.equal(model.network(*arguments), model.network(*arguments))
        model.train()
        assert not torch.equal(model.network(*arguments), model.network(*arguments))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"integration_method": "rk4"},
        {"use_rope": False, "use_positional_encoding": True},
        {"objective": "diffusion"},
        {"objective": "diffusion", "noise_scheduler_type": "DDIM", "num_inference_steps": 5},
    ],
)
def test_hoisted_path_agrees_with_the_plain_one(small: Any, changes: dict[str, Any]) -> None:
    model = small.model(small.config(**changes))
    cond = torch.randn(1, model.observation_encoder.conditioning_dim)
    hoisted = HoistedNetwork(model.noise_predictor, model.objective.times()).bind(cond)
    x = torch.randn(3, 8, 3)
    with torch.no_grad():
        for t in model.objective.times():
            plain = model.network(x, torch.full((3,), t), cond.expand(3, -1))
            assert torch.allclose(hoisted(x, t), plain, atol=1e-5, rtol=0)
        noise = torch.randn(20, 3, 8, 3)
        samples = []
        for network in (None, hoisted):
            steps = iter(noise)
            samples.append(model.sample(cond.expand(3, -1), x, lambda steps=steps: next(steps), network))
    assert torch.allclose(samples[0], samples[1], atol=1e-5, rtol=1e-5)
