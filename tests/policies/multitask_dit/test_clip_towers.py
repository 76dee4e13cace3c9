# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The CLIP towers against transformers, an independent implementation."""

from typing import Any

import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.multitask_dit import clip_config
from lbm_policy_node.policies.multitask_dit.clip import ClipTextTower, ClipVisionTower
from lbm_policy_node.policies.multitask_dit.initialization import initialize_vision_tower

END = 95


def weights_of(model: torch.nn.Module, tower: str) -> dict[str, torch.Tensor]:
    """Shaken weights of a transformers model under the names without the tower's prefix."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    state = {name.removeprefix(f"{tower}."): tensor for name, tensor in model.state_dict().items()}
    return {name: tensor for name, tensor in state.items() if not name.endswith("position_ids")}


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_vision_tower_gives_transformers_class_token(activation: str) -> None:
    sizes: dict[str, Any] = {
        "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 3,
        "image_size": 32, "patch_size": 8, "hidden_act": activation, "layer_norm_eps": 1e-4,
    }  # fmt: skip
    reference = CLIPVisionModel(CLIPVisionConfig(**sizes)).eval()
    tower = ClipVisionTower(clip_config.ClipVisionConfig.from_dict(sizes))
    tower.load_state_dict(weights_of(reference, "vision_model"))
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        expected = reference(pixel_values=images).last_hidden_state[:, 0]
        assert torch.allclose(tower(images), expected, atol=2e-5)


@pytest.mark.parametrize("eos_token_id", [2, END])
def test_text_tower_gives_transformers_pooled_feature(eos_token_id: int) -> None:
    sizes: dict[str, Any] = {
        "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 3,
        "vocab_size": END + 1, "max_position_embeddings": 12, "eos_token_id": eos_token_id,
    }  # fmt: skip
    reference = CLIPTextModel(CLIPTextConfig(**sizes)).eval()
    tower = ClipTextTower(clip_config.ClipTextConfig.from_dict(sizes))
    tower.load_state_dict(weights_of(reference, "text_model"))
    tokens = torch.randint(3, END, (4, 12))
    for row, length in enumerate((3, 12, 7, 5)):
        tokens[row, length - 1 :] = END
    mask = torch.ones_like(tokens)
    with torch.no_grad():
        expected = reference(input_ids=tokens, attention_mask=mask).pooler_output
        assert torch.allclose(tower(tokens), expected, atol=2e-5)


def test_initial_weights_have_the_spread_of_transformers() -> None:
    sizes: dict[str, Any] = {
        "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    torch.manual_seed(0)
    reference = {
        name.removeprefix("vision_model."): tensor
        for name, tensor in CLIPVisionModel(CLIPVisionConfig(**sizes)).state_dict().items()
    }
    tower = ClipVisionTower(clip_config.ClipVisionConfig.from_dict(sizes))
    initialize_vision_tower(tower)
    for name, tensor in tower.state_dict().items():
        expected = reference[name]
        assert tensor.mean().item() == pytest.approx(expected.mean().item(), abs=0.02), name
        if expected.std() > 0:
            assert tensor.std().item() == pytest.approx(expected.std().item(), rel=0.25), name


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(CheckpointError, match="num_attention_heads"):
        clip_config.ClipVisionConfig(hidden_size=48, num_attention_heads=5)


def test_unknown_activation_is_refused() -> None:
    with pytest.raises(CheckpointError, match="hidden_act"):
        clip_config.ClipTextConfig(hidden_act="relu")
