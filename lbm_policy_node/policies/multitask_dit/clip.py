# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""CLIP's vision and text towers (arXiv:2103.00020) in plain torch.

Parameter names are those of transformers up to 5.5, which is what LeRobot checkpoints hold; `pre_layrnorm` is
spelled so there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from lbm_policy_node.policies.multitask_dit.clip_config import ClipConfig, ClipTextConfig, ClipVisionConfig


def quick_gelu(x: Tensor) -> Tensor:
    """OpenAI's approximation of GELU."""
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"quick_gelu": quick_gelu, "gelu": functional.gelu}


class ClipAttention(nn.Module):
    """Multi-head self-attention with separate projections."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.heads = config.num_attention_heads
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.q_proj = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, size)

    def forward(self, x: Tensor, queries: Tensor, causal: bool) -> Tensor:
        """Attend from `queries` (B, Q, size) to `x` (B, T, size)."""
        q, k, v = self._split(self.q_proj(queries)), self._split(self.k_proj(x)), self._split(self.v_proj(x))
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out_proj(out.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class ClipMlp(nn.Module):
    """The two-layer perceptron of a CLIP layer."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        """(..., size) to (..., size)."""
        return self.fc2(self.activation(self.fc1(x)))


class ClipLayer(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.self_attn = ClipAttention(config)
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = ClipMlp(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x: Tensor, causal: bool = False, first_only: bool = False) -> Tensor:
        """(B, T, size) to the same, or to (B, 1, size) when only the first token's result is needed."""
        normed = self.layer_norm1(x)
        if first_only:
            x = x[:, :1]
        x = x + self.self_attn(normed, normed[:, : x.shape[1]], causal)
        return x + self.mlp(self.layer_norm2(x))


class ClipLayers(nn.Module):
    """The stack of layers, named as in the checkpoint."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ClipLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor, causal: bool = False, first_only: bool = False) -> Tensor:
        """Run all layers; `first_only` spares the last one all tokens but the first."""
        last = len(self.layers) - 1
        for index, layer in enumerate(self.layers):
            x = layer(x, causal=causal, first_only=first_only and index == last)
        return x


class ClipVisionEmbeddings(nn.Module):
    """Patches, the class token and learned positions."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        size, patch = config.hidden_size, config.patch_size
        self.class_embedding = nn.Parameter(torch.empty(size))
        self.patch_embedding = nn.Conv2d(3, size, kernel_size=patch, stride=patch, bias=False)
        self.position_embedding = nn.Embedding((config.image_size // patch) ** 2 + 1, size)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 1 + patches, size)."""
        patches = self.patch_embedding(images).flatten(2).transpose(1, 2)
        cls = self.class_embedding.expand(len(images), 1, -1).to(patches.dtype)
        return torch.cat([cls, patches], dim=1) + self.position_embedding.weight


class ClipVisionTower(nn.Module):
    """The vision tower; the feature is the class token before `post_layernorm` (LeRobot's choice)."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.embeddings = ClipVisionEmbeddings(config)
        self.pre_layrnorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.encoder = ClipLayers(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        # In the checkpoint but never used; frozen, so that distributed training waits for no gradient.
        self.post_layernorm.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) of the tower's own size to class features (B, size)."""
        x = self.pre_layrnorm(self.embeddings(images))
        return self.encoder(x, first_only=True)[:, 0]


class ClipTextEmbeddings(nn.Module):
    """Tokens and learned positions."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L) to (B, L, size)."""
        return self.token_embedding(tokens) + self.position_embedding.weight[: tokens.shape[1]]


class ClipTextTower(nn.Module):
    """The causal text tower; the feature is the end token after `final_layer_norm`."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.eos_token_id = config.eos_token_id
        self.embeddings = ClipTextEmbeddings(config)
        self.encoder = ClipLayers(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (B, L), padded on the right, to features (B, size).

        No mask is needed: attention is causal, so what follows the end token cannot reach it and is cut off.
        """
        end = self.end_positions(tokens)
        tokens = tokens[:, : int(end.max()) + 1]
        x = self.final_layer_norm(self.encoder(self.embeddings(tokens), causal=True))
        return x[torch.arange(len(x), device=x.device), end]

    def end_positions(self, tokens: Tensor) -> Tensor:
        """Position of each row's end token, (B,); id 2 means "the largest id", as in OpenAI's files."""
        if self.eos_token_id == 2:
            return tokens.argmax(dim=-1)
        return (tokens == self.eos_token_id).int().argmax(dim=-1)
