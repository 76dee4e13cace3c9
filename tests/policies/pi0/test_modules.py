# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""SigLIP and Gemma against transformers, which the package itself does not use."""

from typing import Any

import pytest
import torch
from transformers import GemmaConfig, GemmaModel, SiglipVisionConfig, SiglipVisionModel

from lbm_policy_node.policies.pi0.network.gemma import Gemma, rope_angles
from lbm_policy_node.policies.pi0.network.siglip import SiglipTransformer
from lbm_policy_node.policies.pi0.sizes import GemmaSize, SiglipSize


def shaken(module: Any) -> Any:
    """Random weights everywhere, also where an initialisation has zeros."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    return module.eval()


def copied(ours: Any, theirs: Any) -> None:
    """Copy weights by name; their names may begin with the tower's."""
    state = {name.removeprefix("vision_model."): value for name, value in theirs.state_dict().items()}
    ours.load_state_dict({name: state[name] for name in ours.state_dict()})


def test_vision_tower_equals_siglip() -> None:
    size = SiglipSize(hidden=48, layers=2, heads=4, mlp=96, patch=14, positions=4)
    config = SiglipVisionConfig(
        hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, image_size=28,
        patch_size=14, vision_use_head=False,
    )  # fmt: skip
    theirs, ours = shaken(SiglipVisionModel(config)), SiglipTransformer(size)
    copied(ours, theirs)
    images = torch.rand(3, 3, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images).last_hidden_state, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("padded", [0, 2])
def test_language_model_equals_gemma(padded: int) -> None:
    size = GemmaSize(width=32, layers=2, mlp=64, heads=4, head_dim=8)
    config = GemmaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, head_dim=8,
        num_key_value_heads=1, vocab_size=50, use_bidirectional_attention=True,
    )  # fmt: skip
    theirs, ours = shaken(GemmaModel(config)), Gemma(size, vocabulary=50)
    copied(ours, theirs)
    tokens = torch.randint(0, 50, (1, 7), generator=torch.Generator().manual_seed(1))
    real = torch.ones(1, 7, dtype=torch.bool)
    real[:, 7 - padded :] = False
    with torch.inference_mode():
        expected = theirs(tokens, attention_mask=real[:, None, None].expand(1, 1, 7, 7)).last_hidden_state[
            :, : 7 - padded
        ]
        hidden, rope = ours.embed(tokens), rope_angles(torch.arange(7)[None], 8)
        for layer in ours.layers:
            hidden, _ = layer(hidden, rope, (), real)
        found = ours.norm(hidden)[0][:, : 7 - padded]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
