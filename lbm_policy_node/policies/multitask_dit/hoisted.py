# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The network with the condition's linear maps taken out of the sampling loop.

Each block's modulation is W * SiLU([time, observation]) + b. SiLU acts on every number alone, so the sum
splits: the time's part is a constant table over the sampler's times, the observation's part is computed
once per chunk. In the reference's default size this takes 80.75 of 99.93 million weights out of the loop.
Agrees with the plain network within 1e-5, not to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Linear, functional

from lbm_policy_node.policies.multitask_dit.network import DiffusionTransformer, TransformerBlock
from lbm_policy_node.policies.multitask_dit.objective import Network


class HoistedNetwork:
    """An inference-only view of a network whose weights no longer change."""

    def __init__(self, network: DiffusionTransformer, times: Sequence[float]) -> None:
        """Compute the table of the times' parts, per block (times, 6 * hidden)."""
        self._network = network
        self._rows = {t: index for index, t in enumerate(times)}
        with torch.inference_mode():
            device = network.output_proj.weight.device
            features = functional.silu(network.time_mlp(torch.tensor(times, device=device)))
            width = features.shape[1]
            self._table = [
                functional.linear(features, _linear(block).weight[:, :width]) for block in network.blocks
            ]
        self._width = width

    def bind(self, cond: Tensor) -> Network:
        """The network for one observation, cond (1, conditioning_dim), and any number of samples."""
        active = functional.silu(cond)
        parts = [
            functional.linear(active, _linear(block).weight[:, self._width :], _linear(block).bias)
            for block in self._network.blocks
        ]

        def call(x: Tensor, t: float) -> Tensor:
            row = self._rows[t]
            pairs = zip(self._table, parts, strict=True)
            return self._network.run(x, [table[row : row + 1] + part for table, part in pairs])

        return call


def _linear(block: TransformerBlock) -> Linear:
    linear = block.adaLN_modulation[1]
    assert isinstance(linear, Linear)
    return linear
