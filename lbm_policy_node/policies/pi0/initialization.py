# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Fresh weights, for models that are trained from scratch or only measured."""

from __future__ import annotations

import torch
from torch import nn

from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.network.gemma import AdaptiveRmsNorm
from lbm_policy_node.policies.pi0.sizes import GemmaSize, Pi0Sizes, SiglipSize

FULL = Pi0Sizes()
TINY = Pi0Sizes(
    vision=SiglipSize(hidden=64, layers=2, heads=4, mlp=128, patch=14, positions=16),
    language=GemmaSize(width=64, layers=3, mlp=128, heads=4, head_dim=16),
    expert=GemmaSize(width=64, layers=3, mlp=128, heads=4, head_dim=16),
    vocabulary=512,
)
SMALL = Pi0Sizes(
    vision=SiglipSize(hidden=144, layers=4, heads=4, mlp=432, patch=14, positions=64),
    language=GemmaSize(width=128, layers=4, mlp=384, heads=4, head_dim=32),
    expert=GemmaSize(width=128, layers=4, mlp=384, heads=4, head_dim=32),
    vocabulary=512,
)
SIZES = {"tiny": TINY, "small": SMALL, "full": FULL}


def create_model(config: Pi0Config, sizes: Pi0Sizes) -> Pi0:
    """Make a model with random weights from torch's default generator.

    Embeddings have unit size after Gemma's factor. Adaptive norms start as plain norms with open gates, so
    that no layer starts as an identity.
    """
    model = Pi0(config, sizes)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
            elif isinstance(module, AdaptiveRmsNorm):
                nn.init.normal_(module.dense.weight, std=0.02)
                nn.init.zeros_(module.dense.bias)
                module.dense.bias[-module.dense.in_features :] = 1.0
    return model
