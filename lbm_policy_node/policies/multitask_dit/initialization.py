# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Initial weights of models that are trained from scratch."""

from __future__ import annotations

from torch import nn

from lbm_policy_node.policies.multitask_dit.clip import ClipLayers, ClipTextTower, ClipVisionTower


def initialize_vision_tower(tower: ClipVisionTower) -> None:
    """CLIP's own initialisation (as in transformers, factor 1)."""
    size = len(tower.embeddings.class_embedding)
    nn.init.normal_(tower.embeddings.class_embedding, std=size**-0.5)
    nn.init.normal_(tower.embeddings.patch_embedding.weight, std=0.02)
    nn.init.normal_(tower.embeddings.position_embedding.weight, std=0.02)
    _initialize_layers(tower.encoder, size)


def initialize_text_tower(tower: ClipTextTower) -> None:
    """CLIP's own initialisation (as in transformers, factor 1)."""
    nn.init.normal_(tower.embeddings.token_embedding.weight, std=0.02)
    nn.init.normal_(tower.embeddings.position_embedding.weight, std=0.02)
    _initialize_layers(tower.encoder, tower.embeddings.token_embedding.embedding_dim)


def _initialize_layers(encoder: ClipLayers, size: int) -> None:
    """Residual branches are scaled down with the depth; biases start at zero."""
    into_residual = size**-0.5 * (2 * len(encoder.layers)) ** -0.5
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Linear):
            scale = {"out_proj": size**-0.5, "fc1": (2 * size) ** -0.5}.get(
                name.split(".")[-1], into_residual
            )
            nn.init.normal_(module.weight, std=scale)
            nn.init.zeros_(module.bias)
