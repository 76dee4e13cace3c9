# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Named inputs and outputs of a policy, as config.json describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

STATE_KEY = "observation.state"
ACTION_KEY = "action"
TOKENS_KEY = "observation.language.tokens"
MASK_KEY = "observation.language.attention_mask"
FEATURE_TYPES = ("STATE", "VISUAL", "ACTION", "ENV", "LANGUAGE")


@dataclass(frozen=True)
class Feature:
    """One input or output: its kind and its shape without batch and time axes (images C, H, W)."""

    type: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.type not in FEATURE_TYPES:
            raise CheckpointError("", "type", f"is {self.type!r}, expected one of {FEATURE_TYPES}")
        axes = 3 if self.type == "VISUAL" else max(1, len(self.shape))
        if len(self.shape) != axes or not all(type(n) is int and n > 0 for n in self.shape):
            raise CheckpointError("", "shape", f"is {self.shape}, expected {axes} positive whole numbers")

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"type": self.type, "shape": list(self.shape)}


def parse_features(value: Any, field: str, file: str = "") -> dict[str, Feature]:
    """Read `input_features` or `output_features`; their order is kept, because cameras are fed in it.

    Raises:
        CheckpointError: Not a mapping of names to {type, shape}.
    """
    if not isinstance(value, Mapping):
        raise CheckpointError(file, field, f"is {value!r}, expected a mapping of names to type and shape")
    features = {}
    for key, entry in value.items():
        if isinstance(entry, Feature):
            features[key] = entry
            continue
        if not isinstance(entry, Mapping) or set(entry) != {"type", "shape"}:
            raise CheckpointError(file, f"{field}.{key}", f"is {entry!r}, expected exactly type and shape")
        if not isinstance(entry["shape"], (list, tuple)):
            raise CheckpointError(file, f"{field}.{key}.shape", f"is {entry['shape']!r}, expected a list")
        try:
            features[key] = Feature(entry["type"], tuple(entry["shape"]))
        except CheckpointError as error:
            raise CheckpointError(file, f"{field}.{key}.{error.field}", error.expectation) from error
    return features
