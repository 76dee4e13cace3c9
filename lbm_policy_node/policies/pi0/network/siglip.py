# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The vision tower of PaliGemma: SigLIP (arXiv:2303.15343) without its pooling head; names are its files'."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from lbm_policy_node.policies.pi0.sizes import SiglipSize

EPS = 1e-6
Run = Callable[..., Tensor]


class SiglipAttention(nn.Module):
    """Bidirectional attention with biases."""

    def __init__(self, size: SiglipSize) -> None:
        super().__init__()
        self.heads = size.heads
        self.k_proj = nn.Linear(size.hidden, size.hidden)
        self.v_proj = nn.Linear(size.hidden, size.hidden)
        self.q_proj = nn.Linear(size.hidden, size.hidden)
        self.out_proj = nn.Linear(size.hidden, size.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, hidden) to the same shape."""
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.out_proj(mixed.transpose(1, 2).flatten(-2))


class SiglipMlp(nn.Module):
    """Two linear maps with the tanh form of GELU."""

    def __init__(self, size: SiglipSize) -> None:
        super().__init__()
        self.fc1 = nn.Linear(size.hidden, size.mlp)
        self.fc2 = nn.Linear(size.mlp, size.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(..., hidden) to the same shape."""
        return self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))


class SiglipLayer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, size: SiglipSize) -> None:
        super().__init__()
        self.self_attn = SiglipAttention(size)
        self.layer_norm1 = nn.LayerNorm(size.hidden, eps=EPS)
        self.mlp = SiglipMlp(size)
        self.layer_norm2 = nn.LayerNorm(size.hidden, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, hidden) to the same shape."""
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class SiglipEmbeddings(nn.Module):
    """Patches with learned positions."""

    def __init__(self, size: SiglipSize) -> None:
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, size.hidden, size.patch, stride=size.patch)
        self.position_embedding = nn.Embedding(size.positions, size.hidden)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, side, side) to (B, positions, hidden)."""
        patches = self.patch_embedding(images).flatten(2).transpose(1, 2)
        return patches + self.position_embedding.weight


class SiglipEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, size: SiglipSize) -> None:
        super().__init__()
        self.layers = nn.ModuleList([SiglipLayer(size) for _ in range(size.layers)])


class SiglipTransformer(nn.Module):
    """Images to patch features, after the last norm."""

    def __init__(self, size: SiglipSize) -> None:
        super().__init__()
        self.embeddings = SiglipEmbeddings(size)
        self.encoder = SiglipEncoder(size)
        self.post_layernorm = nn.LayerNorm(size.hidden, eps=EPS)

    def forward(self, images: Tensor, run: Run | None = None) -> Tensor:
        """Images (B, 3, side, side) in [-1, 1] to (B, positions, hidden).

        Args:
            images: The batch.
            run: How a layer is called, for gradient checkpointing.
        """
        x = self.embeddings(images)
        for layer in self.encoder.layers:
            x = layer(x) if run is None else run(layer, x)
        return self.post_layernorm(x)
