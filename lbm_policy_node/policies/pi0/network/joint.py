# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The reference's training pass: prefix and suffix together under one block mask, nothing cached or dropped.

It exists to check the fast path: masked cameras are fed as black images, padding stays in, and all tokens go
through every layer at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lbm_policy_node.policies.checkpoint.features import MASK_KEY, STATE_KEY, TOKENS_KEY
from lbm_policy_node.policies.pi0.flow import integrate
from lbm_policy_node.policies.pi0.images import to_network
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.network.gemma import KeyValue, Seen, attend, rope_angles, rotate
from lbm_policy_node.policies.pi0.network.modulation import Modulations, modulate

Tokens = tuple[Tensor, Tensor]
"""Embeddings (B, T, width) and which are real (B, T)."""


def joint_sample(model: Pi0, batch: Mapping[str, Tensor], noise: Tensor, steps: int) -> Tensor:
    """As `Pi0.sample` after `Pi0.encode`, the slow way."""

    def velocity(x: Tensor, t: float) -> Tensor:
        return joint_velocity(model, batch, x, torch.tensor([t], dtype=torch.float32, device=x.device))

    return integrate(velocity, noise, steps)[..., : model.config.action_dim]


def joint_velocity(model: Pi0, batch: Mapping[str, Tensor], x: Tensor, t: Tensor) -> Tensor:
    """As `Pi0.velocity`: x (B, chunk, max_action_dim) at t (B,) or (1,)."""
    words, real = _prefix(model, batch)
    suffix, cond = model.action_tokens(x, t)
    blocks = [1] + [0] * (x.shape[1] - 1)
    if not model.config.adaptive:
        state = functional.pad(batch[STATE_KEY], (0, model.config.max_state_dim - model.config.state_dim))
        suffix, blocks = torch.cat([model.state_proj(state)[:, None], suffix], dim=1), [1, *blocks]
    real = torch.cat([real, real.new_ones(suffix.shape[:2])], dim=1)
    starts = torch.tensor([0] * words.shape[1] + blocks, device=x.device).cumsum(0)
    allowed = (starts[None, :] <= starts[:, None]) & real[:, None, :]
    rope = rope_angles(real.cumsum(dim=1) - 1, model.sizes.expert.head_dim)
    table = None if cond is None else modulate(model.expert, cond)
    hidden = _layers(model, [words, suffix.to(words.dtype)], rope, allowed, table)
    out, _ = model.expert.norm(hidden[:, -x.shape[1] :], table.final if table else None)
    return model.action_out_proj(out.float())


def _prefix(model: Pi0, batch: Mapping[str, Tensor]) -> Tokens:
    """Present cameras, then black masked ones for those that are missing, then the whole prompt."""
    body, side = model.paligemma_with_expert.paligemma.model, model.sizes.vision.side
    present = [key for key in model.config.image_features if key in batch]
    missing = len(model.config.image_features) - len(present)
    count = len(batch[TOKENS_KEY])
    black = -torch.ones(count, 3, side, side, device=batch[TOKENS_KEY].device)
    images = [to_network(batch[key], (side, side)) for key in present] + [black] * missing
    words = body.language_model.embed(batch[TOKENS_KEY])
    parts = [*(body.embed_images(image).to(words.dtype) for image in images), words]
    masks = [torch.full(part.shape[:2], index < len(present)) for index, part in enumerate(parts[:-1])]
    real = torch.cat([*(mask.to(words.device) for mask in masks), batch[MASK_KEY].bool()], dim=1)
    return torch.cat(parts, dim=1), real


def _layers(
    model: Pi0, streams: list[Tensor], rope: Tensor, allowed: Tensor, table: Modulations | None
) -> Tensor:
    """Both Gemmas layer by layer over one sequence; returns the expert's stream."""
    language, expert = model.paligemma_with_expert.paligemma.model.language_model, model.expert
    stacks: Sequence[Any] = list(zip(language.layers, expert.layers, strict=True))
    cut = streams[0].shape[1]
    for index, layers in enumerate(stacks):
        pairs = [(None, None), table.layers[index] if table else (None, None)]
        normed = [layer.input_layernorm(x, m[0]) for layer, x, m in zip(layers, streams, pairs, strict=True)]
        inner = [(layer.self_attn, x) for layer, (x, _) in zip(layers, normed, strict=True)]
        query, key, value = (
            torch.cat([getattr(attention, f"{kind}_proj")(x) for attention, x in inner], dim=1)
            for kind in "qkv"
        )
        query = rotate(query.unflatten(-1, (-1, key.shape[-1])), rope[:, :, None])
        mixed = attend(query, [Seen(KeyValue(rotate(key, rope), value), allowed)]).flatten(-2)
        parts = (mixed[:, :cut], mixed[:, cut:])
        following = []
        for layer, x, (_, gate), part, pair in zip(layers, streams, normed, parts, pairs, strict=True):
            x = x + _gated(layer.self_attn.o_proj(part), gate)
            inside, gate = layer.post_attention_layernorm(x, pair[1])
            following.append(x + _gated(layer.mlp(inside), gate))
        streams = following
    return streams[1]


def _gated(change: Tensor, gate: Tensor | None) -> Tensor:
    return change if gate is None else change * gate
