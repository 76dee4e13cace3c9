# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Architecture of CLIP's towers; field names are those of a transformers config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.field_types import check_types, require

ACTIVATION_NAMES = ("quick_gelu", "gelu")
T = TypeVar("T", bound="ClipConfig")


@dataclass(frozen=True)
class ClipConfig:
    """What both towers have; the defaults are OpenAI's."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        check_types(self)
        for entry in fields(self):
            value = getattr(self, entry.name)
            require(entry.name, value, isinstance(value, str) or value > 0, "a positive number")
        if self.hidden_act not in ACTIVATION_NAMES:
            raise CheckpointError("", "hidden_act", f"is {self.hidden_act!r}, expected {ACTIVATION_NAMES}")
        if self.num_attention_heads < 1 or self.hidden_size % self.num_attention_heads:
            raise CheckpointError(
                "",
                "num_attention_heads",
                f"is {self.num_attention_heads}, expected a divisor of {self.hidden_size}",
            )

    @classmethod
    def from_dict(cls: type[T], data: Mapping[str, Any]) -> T:
        """Take the known fields of a transformers configuration; the others say nothing about the numbers."""
        missing = [f.name for f in fields(cls) if f.name not in data and f.name not in _OPTIONAL]
        if missing:
            raise CheckpointError("", ", ".join(missing), f"missing in a {cls.__name__}")
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})


@dataclass(frozen=True)
class ClipVisionConfig(ClipConfig):
    """The vision tower, ViT-B/16 by default."""

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    image_size: int = 224
    patch_size: int = 16


@dataclass(frozen=True)
class ClipTextConfig(ClipConfig):
    """The text tower, the one of ViT-B/16 by default."""

    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    vocab_size: int = 49408
    max_position_embeddings: int = 77
    eos_token_id: int = 2


_OPTIONAL = ("hidden_act", "layer_norm_eps", "eos_token_id")
