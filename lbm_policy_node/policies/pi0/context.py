# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The cache between the prefix, which runs once, and the action expert, which runs at every step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lbm_policy_node.policies.pi0.network.gemma import KeyValue, Seen


@dataclass(frozen=True, eq=False)
class Context:
    """What the action tokens see: per layer the keys and values of everything before them."""

    caches: tuple[KeyValue, ...]
    valid: Tensor | None
    """(B, tokens) bool; None: all tokens are real."""
    position: Tensor
    """(B,) position of the next token: the number of real tokens."""

    def seen(self, layer: int) -> Seen:
        """As the attention of a layer takes it."""
        return Seen(self.caches[layer], self.valid)
