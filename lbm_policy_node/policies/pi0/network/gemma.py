# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Gemma (arXiv:2403.08295) as pi0 uses it: layers that hand out their keys and values and see given ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lbm_policy_node.policies.pi0.sizes import GemmaSize

EPS = 1e-6
ROPE_BASE = 10_000.0


class KeyValue(NamedTuple):
    """Keys and values of one layer, each (B, tokens, head_dim); one head serves all queries."""

    key: Tensor
    value: Tensor


class Seen(NamedTuple):
    """Tokens that queries may see: one observation's tokens serve any number of its samples."""

    cache: KeyValue
    allowed: Tensor | None
    """(B, tokens) bool, or (B, queries, tokens); None: all."""


class RmsNorm(nn.Module):
    """x / rms(x) * (1 + weight), computed in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, modulation: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The normalised x and no gate."""
        return (_normed(x) * (1.0 + self.weight.float())).to(x.dtype), None


class AdaptiveRmsNorm(nn.Module):
    """RMS norm whose scale, shift and residual gate come from the time (pi0.5, arXiv:2504.16054)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, modulation: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The normalised x and the gate; modulation (B or 1, 1, 3 * width) is `dense` of the time."""
        if modulation is None:
            raise ValueError("an adaptive norm needs its modulation")
        scale, shift, gate = modulation.float().chunk(3, dim=-1)
        return (_normed(x) * (1.0 + scale) + shift).to(x.dtype), gate.to(x.dtype)


def _normed(x: Tensor) -> Tensor:
    wide = x.float()
    return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPS)


class GemmaAttention(nn.Module):
    """Multi-query attention: many queries, one key and value per token, no biases."""

    def __init__(self, size: GemmaSize) -> None:
        super().__init__()
        self.head_dim = size.head_dim
        self.q_proj = nn.Linear(size.width, size.heads * size.head_dim, bias=False)
        self.k_proj = nn.Linear(size.width, size.head_dim, bias=False)
        self.v_proj = nn.Linear(size.width, size.head_dim, bias=False)
        self.o_proj = nn.Linear(size.heads * size.head_dim, size.width, bias=False)

    def cache(self, x: Tensor, rope: Tensor) -> KeyValue:
        """Keys and values of x (B, T, width)."""
        return KeyValue(rotate(self.k_proj(x), rope), self.v_proj(x))

    def forward(self, x: Tensor, rope: Tensor, seen: Sequence[Seen]) -> Tensor:
        """What x (N, T, width) attends to, same shape."""
        query = self.q_proj(x).unflatten(-1, (-1, self.head_dim))
        mixed = attend(rotate(query, rope[:, :, None]), seen)
        return self.o_proj(mixed.flatten(-2))


class GemmaMlp(nn.Module):
    """Gated linear unit with the tanh form of GELU."""

    def __init__(self, size: GemmaSize) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size.width, size.mlp, bias=False)
        self.up_proj = nn.Linear(size.width, size.mlp, bias=False)
        self.down_proj = nn.Linear(size.mlp, size.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        return self.down_proj(functional.gelu(self.gate_proj(x), approximate="tanh") * self.up_proj(x))


class GemmaLayer(nn.Module):
    """Pre-norm transformer layer; adaptive norms gate what is added."""

    def __init__(self, size: GemmaSize, *, adaptive: bool) -> None:
        super().__init__()
        norm = AdaptiveRmsNorm if adaptive else RmsNorm
        self.self_attn = GemmaAttention(size)
        self.mlp = GemmaMlp(size)
        self.input_layernorm = norm(size.width)
        self.post_attention_layernorm = norm(size.width)

    def cache(self, x: Tensor, rope: Tensor) -> KeyValue:
        """Keys and values only: all that a last layer must give when its output is not used."""
        return self.self_attn.cache(self.input_layernorm(x)[0], rope)

    def forward(
        self,
        x: Tensor,
        rope: Tensor,
        past: Sequence[Seen] = (),
        own: Tensor | None = None,
        modulations: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, KeyValue]:
        """One layer.

        Args:
            x: (N, T, width).
            rope: Angles of the tokens, (N or 1, T, head_dim / 2).
            past: Earlier tokens that all of x may see.
            own: Which tokens of x each may see, (N, T) or (N, T, T) bool; None: all.
            modulations: Of the two norms, where they are adaptive.

        Returns:
            The next x, and this layer's keys and values of x.
        """
        before, after = modulations or (None, None)
        normed, gate = self.input_layernorm(x, before)
        cache = self.self_attn.cache(normed, rope)
        x = _add(x, self.self_attn(normed, rope, [*past, Seen(cache, own)]), gate)
        normed, gate = self.post_attention_layernorm(x, after)
        return _add(x, self.mlp(normed), gate), cache


class Gemma(nn.Module):
    """A stack of layers; with a vocabulary it can embed tokens."""

    def __init__(self, size: GemmaSize, *, vocabulary: int | None = None, adaptive: bool = False) -> None:
        super().__init__()
        self.size = size
        if vocabulary is not None:
            self.embed_tokens = nn.Embedding(vocabulary, size.width)
        self.layers = nn.ModuleList([GemmaLayer(size, adaptive=adaptive) for _ in range(size.layers)])
        self.norm = (AdaptiveRmsNorm if adaptive else RmsNorm)(size.width)

    @property
    def dtype(self) -> torch.dtype:
        """The type that the layers compute in."""
        weight = self.layers[0].get_parameter("self_attn.q_proj.weight")
        return weight.dtype

    def embed(self, tokens: Tensor) -> Tensor:
        """Token ids to embeddings times the root of the width, rounded to the weights' type."""
        embedded = self.embed_tokens(tokens)
        return embedded * torch.tensor(self.size.width**0.5, dtype=embedded.dtype)


def rope_angles(positions: Tensor, head_dim: int) -> Tensor:
    """Rotation angles of token positions (B, T), float32 (B, T, head_dim / 2)."""
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=positions.device) / head_dim
    return positions[..., None].float() * (1.0 / ROPE_BASE**exponents)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotary position embedding on halves: x (..., head_dim) by angles (..., head_dim / 2)."""
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def attend(query: Tensor, seen: Sequence[Seen]) -> Tensor:
    """Softmax attention over several groups of tokens at once.

    A group of B observations serves N = B * K samples: the K samples are folded into the query axis, so that
    a shared prefix is read in place and never copied per sample.

    Args:
        query: (N, T, heads, head_dim), the samples of an observation next to each other.
        seen: The groups; the softmax runs over all of them together, in float32.

    Returns:
        (N, T, heads, head_dim).
    """
    if len(seen) == 1:
        return _fused(query, seen[0])
    logits = torch.cat([_logits(query, group) for group in seen], dim=-1)
    weights = logits.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    parts = weights.split([group.cache.key.shape[1] for group in seen], dim=-1)
    mixed = _mix(parts[0], seen[0].cache.value)
    for part, group in zip(parts[1:], seen[1:], strict=True):
        mixed = mixed + _mix(part, group.cache.value)
    return mixed


def _fused(query: Tensor, group: Seen) -> Tensor:
    """One group of tokens per query row: torch's fused kernel."""
    heads = query.shape[2]
    key, value = (part[:, None].expand(-1, heads, -1, -1) for part in group.cache)
    allowed = group.allowed
    if allowed is not None:
        allowed = allowed[:, None] if allowed.dim() == 3 else allowed[:, None, None]
    mixed = functional.scaled_dot_product_attention(query.transpose(1, 2), key, value, attn_mask=allowed)
    return mixed.transpose(1, 2)


def _logits(query: Tensor, group: Seen) -> Tensor:
    """Scores (N, T, heads, tokens) with forbidden ones at minus infinity."""
    rows, tokens = query.shape[0], group.cache.key.shape[1]
    key = group.cache.key
    folded = query.reshape(key.shape[0], -1, query.shape[-1])
    logits = (folded @ key.transpose(1, 2) * query.shape[-1] ** -0.5).reshape(*query.shape[:3], tokens)
    if group.allowed is None:
        return logits
    allowed = group.allowed if group.allowed.dim() == 3 else group.allowed[:, None]
    allowed = allowed.repeat_interleave(rows // len(allowed), dim=0)
    return logits.masked_fill(~allowed[:, :, None], float("-inf"))


def _mix(weights: Tensor, value: Tensor) -> Tensor:
    """Weighted values: weights (N, T, heads, tokens) and values (B, tokens, head_dim)."""
    folded = weights.reshape(value.shape[0], -1, weights.shape[-1])
    return (folded @ value).reshape(*weights.shape[:3], value.shape[-1])


def _add(x: Tensor, change: Tensor, gate: Tensor | None) -> Tensor:
    return x + change if gate is None else x + change * gate
