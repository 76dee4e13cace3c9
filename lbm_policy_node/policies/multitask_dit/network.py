# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The diffusion transformer over action chunks, conditioned by adaptive layer norm (arXiv:2212.09748)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig


class SinusoidalEmbedding(nn.Module):
    """Sines, then cosines, of the time at log-spaced frequencies from 1 to 1/10000.

    Constants are made on the CPU even where a model is built on the meta device, because no file holds them.
    """

    freqs: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        freqs = torch.exp(torch.arange(half, device="cpu") * (-math.log(10000.0) / (half - 1)))
        self.register_buffer("freqs", freqs, persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        """Times (B,), whole or fractional, to (B, width)."""
        angles = t[:, None].to(self.freqs.dtype) * self.freqs
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class RopeAttention(nn.Module):
    """Self-attention with rotary positions (arXiv:2104.09864), by halves, not interleaved pairs."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: MultiTaskDiTConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.dropout = config.dropout
        self.qkv_proj = nn.Linear(config.hidden_dim, 3 * config.hidden_dim)
        self.out_proj = nn.Linear(config.hidden_dim, config.hidden_dim)
        size = config.hidden_dim // config.num_heads
        inverse = 1.0 / config.rope_base ** (torch.arange(0, size, 2, device="cpu").float() / size)
        angles = torch.outer(torch.arange(config.horizon, device="cpu").float(), inverse).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, hidden) to the same."""
        q, k, v = self.qkv_proj(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        rate = self.dropout if self.training else 0.0
        out = functional.scaled_dot_product_attention(self._rotate(q), self._rotate(k), v, dropout_p=rate)
        return self.out_proj(out.transpose(1, 2).flatten(2))

    def _rotate(self, x: Tensor) -> Tensor:
        steps = x.shape[-2]
        first, second = x.chunk(2, dim=-1)
        rotated = x * self.cos[:steps] + torch.cat([-second, first], dim=-1) * self.sin[:steps]
        return rotated.to(x.dtype)


class TransformerBlock(nn.Module):
    """Attention and perceptron, each shifted, scaled and gated by the condition."""

    def __init__(self, config: MultiTaskDiTConfig, cond_dim: int) -> None:
        super().__init__()
        width = config.hidden_dim
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        if config.use_rope:
            self.attn = RopeAttention(config)
        else:
            self.multihead_attn = nn.MultiheadAttention(
                width, config.num_heads, dropout=config.dropout, batch_first=True
            )
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(cond_dim, 6 * width))
        linear = self.adaLN_modulation[1]
        assert isinstance(linear, nn.Linear)
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """(B, T, hidden) to the same; modulation (B or 1, 6 * hidden) is `adaLN_modulation(cond)`."""
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = modulation[:, None].chunk(6, dim=-1)
        x = x + gate_a * self._attend(self.norm1(x) * (1 + scale_a) + shift_a)
        return x + gate_m * self.mlp(self.norm2(x) * (1 + scale_m) + shift_m)

    def _attend(self, x: Tensor) -> Tensor:
        if hasattr(self, "attn"):
            return self.attn(x)
        return self.multihead_attn(x, x, x, need_weights=False)[0]


class DiffusionTransformer(nn.Module):
    """Predicts noise, clean actions or velocity from noisy actions, the time and the condition."""

    def __init__(self, config: MultiTaskDiTConfig, conditioning_dim: int) -> None:
        super().__init__()
        embed, width = config.timestep_embed_dim, config.hidden_dim
        self.time_mlp = nn.Sequential(
            SinusoidalEmbedding(embed),
            nn.Linear(embed, 2 * embed),
            nn.GELU(),
            nn.Linear(2 * embed, embed),
            nn.GELU(),
        )
        self.input_proj = nn.Linear(config.action_dim, width)
        if config.use_positional_encoding:
            self.pos_embedding = nn.Parameter(torch.randn(1, config.horizon, width) * 0.02)
        else:
            self.register_parameter("pos_embedding", None)
        cond_dim = embed + conditioning_dim
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(config, cond_dim) for _ in range(config.num_layers)
        )
        self.output_proj = nn.Linear(width, config.action_dim)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """One network call.

        Args:
            x: Noisy actions, (B, horizon, action_dim).
            t: Diffusion step (whole) or flow time in [0, 1], (B,).
            cond: Conditioning vector, (B, conditioning_dim).

        Returns:
            The prediction, (B, horizon, action_dim).
        """
        full = torch.cat([self.time_mlp(t), cond], dim=-1)
        return self.run(x, [block.adaLN_modulation(full) for block in self.blocks])

    def run(self, x: Tensor, modulations: list[Tensor]) -> Tensor:
        """The network with each block's modulation (B or 1, 6 * hidden) already known."""
        x = self.input_proj(x)
        if self.pos_embedding is not None:
            x = x + self.pos_embedding[:, : x.shape[1]]
        for block, modulation in zip(self.blocks, modulations, strict=True):
            x = block(x, modulation)
        return self.output_proj(x)

    @property
    def blocks(self) -> list[TransformerBlock]:
        """The blocks with their type."""
        return [block for block in self.transformer_blocks if isinstance(block, TransformerBlock)]
