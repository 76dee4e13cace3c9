# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""pi0.5's adaptive norms: what the time does to each of them.

The modulations depend on the time alone. For a fixed number of steps they are constants, so that at inference
two linear maps per layer (width to 3 * width) leave the loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lbm_policy_node.policies.pi0.flow import times
from lbm_policy_node.policies.pi0.network.gemma import Gemma

if TYPE_CHECKING:
    from lbm_policy_node.policies.pi0.model import Pi0


@dataclass(frozen=True, eq=False)
class Modulations:
    """Scale, shift and gate (B, 1, 3 * width): of the two norms of every layer, and of the last norm."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    final: Tensor


def modulate(expert: Gemma, cond: Tensor) -> Modulations:
    """The modulations of a time condition (B, width)."""
    layers: Sequence[Any] = list(expert.layers)
    pairs = [
        tuple(norm.dense(cond)[:, None] for norm in (layer.input_layernorm, layer.post_attention_layernorm))
        for layer in layers
    ]
    final: Any = expert.norm
    return Modulations(tuple((first, second) for first, second in pairs), final.dense(cond)[:, None])


@dataclass(frozen=True, eq=False)
class TimeTable:
    """The modulations of every time of a sampler."""

    rows: Mapping[float, Modulations]

    def at(self, t: float) -> Modulations:
        """Those of one time."""
        return self.rows[t]

    @classmethod
    @torch.inference_mode()
    def of(cls, model: Pi0, steps: int) -> TimeTable:
        """Compute the table for weights that no longer change."""
        device = model.action_in_proj.weight.device
        rows = {}
        for t in times(steps):
            time = torch.tensor([t], dtype=torch.float32, device=device)
            rows[t] = modulate(model.expert, model.time_condition(time))
        return cls(rows)
