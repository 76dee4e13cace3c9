# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of the three networks of a pi0, read from the shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]
PALIGEMMA = "paligemma_with_expert.paligemma.model."
VISION = f"{PALIGEMMA}vision_tower.vision_model."
LANGUAGE = f"{PALIGEMMA}language_model."
EXPERT = "paligemma_with_expert.gemma_expert.model."
VISION_HEAD_DIMS = (72, 64)
"""Head sizes of the published SigLIP towers: so400m has 16 heads of 72, base and large have heads of 64."""


@dataclass(frozen=True)
class SiglipSize:
    """Shape of the vision tower."""

    hidden: int = 1152
    layers: int = 27
    heads: int = 16
    mlp: int = 4304
    patch: int = 14
    positions: int = 256

    @property
    def side(self) -> int:
        """Height and width of the images that it takes, pixels."""
        return round(self.positions**0.5) * self.patch


@dataclass(frozen=True)
class GemmaSize:
    """Shape of a Gemma; all heads share one key and one value (multi-query attention)."""

    width: int = 2048
    layers: int = 18
    mlp: int = 16384
    heads: int = 8
    head_dim: int = 256


@dataclass(frozen=True)
class Pi0Sizes:
    """Shapes of all three networks; the defaults are the published pi0."""

    vision: SiglipSize = SiglipSize()
    language: GemmaSize = GemmaSize()
    expert: GemmaSize = GemmaSize(width=1024, mlp=4096)
    vocabulary: int = 257_152

    def __post_init__(self) -> None:
        ours, theirs = self.language, self.expert
        if (ours.layers, ours.head_dim, ours.heads) != (theirs.layers, theirs.head_dim, theirs.heads):
            raise CheckpointError(
                "", "gemma_expert", f"is {theirs}, expected the layers and heads of the language model {ours}"
            )


def read_sizes(shapes: Shapes, vision_heads: int | None = None) -> Pi0Sizes:
    """Infer the sizes from tensor shapes under the module names of `Pi0`.

    Args:
        shapes: Of every tensor in the file.
        vision_heads: Attention heads of the vision tower, which shapes do not show; None: those of the
            published SigLIP tower of that width.

    Raises:
        CheckpointError: A tensor that shows a size is missing, or the heads are unknown.
    """
    hidden, _, patch, _ = _shape(shapes, f"{VISION}embeddings.patch_embedding.weight", 4)
    vision = SiglipSize(
        hidden=hidden,
        layers=_count(shapes, f"{VISION}encoder.layers."),
        heads=_vision_heads(hidden, vision_heads),
        mlp=_shape(shapes, f"{VISION}encoder.layers.0.mlp.fc1.weight", 2)[0],
        patch=patch,
        positions=_shape(shapes, f"{VISION}embeddings.position_embedding.weight", 2)[0],
    )
    vocabulary = _shape(shapes, f"{LANGUAGE}embed_tokens.weight", 2)[0]
    return Pi0Sizes(vision, _gemma(shapes, LANGUAGE), _gemma(shapes, EXPERT), vocabulary)


def _gemma(shapes: Shapes, prefix: str) -> GemmaSize:
    rows, width = _shape(shapes, f"{prefix}layers.0.self_attn.q_proj.weight", 2)
    head_dim = _shape(shapes, f"{prefix}layers.0.self_attn.k_proj.weight", 2)[0]
    if rows % head_dim:
        raise CheckpointError(
            "", f"{prefix}layers.0.self_attn.q_proj.weight", f"has {rows} rows, no multiple of {head_dim}"
        )
    mlp = _shape(shapes, f"{prefix}layers.0.mlp.gate_proj.weight", 2)[0]
    return GemmaSize(width, _count(shapes, f"{prefix}layers."), mlp, rows // head_dim, head_dim)


def _vision_heads(hidden: int, given: int | None) -> int:
    if given is not None:
        if given < 1 or hidden % given:
            raise CheckpointError(
                "", "towers.vision.num_attention_heads", f"{given} does not divide {hidden}"
            )
        return given
    for head_dim in VISION_HEAD_DIMS:
        if hidden % head_dim == 0:
            return hidden // head_dim
    raise CheckpointError(
        "",
        "vision_tower",
        f"has width {hidden}, whose number of attention heads the file does not contain; write it into "
        'lbm_policy.json: {"towers": {"vision": {"num_attention_heads": N}}}',
    )


def _shape(shapes: Shapes, name: str, axes: int) -> tuple[int, ...]:
    if name not in shapes:
        raise CheckpointError("", name, "this tensor is missing: the file holds no pi0 or pi0.5")
    if len(shapes[name]) != axes:
        raise CheckpointError("", name, f"has shape {shapes[name]}, expected {axes} axes")
    return shapes[name]


def _count(shapes: Shapes, prefix: str) -> int:
    """Layers of a stack: one more than the highest number in it."""
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.")
    numbers = [int(found[1]) for name in shapes if (found := pattern.match(name))]
    return max(numbers, default=-1) + 1
