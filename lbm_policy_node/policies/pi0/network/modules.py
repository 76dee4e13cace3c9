# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The module tree around the three networks; its attribute names are the names in checkpoints."""

from __future__ import annotations

from torch import Tensor, nn

from lbm_policy_node.policies.pi0.network.gemma import Gemma
from lbm_policy_node.policies.pi0.network.siglip import Run, SiglipTransformer
from lbm_policy_node.policies.pi0.sizes import Pi0Sizes


class VisionTower(nn.Module):
    """Holds SigLIP under the name that checkpoints use."""

    def __init__(self, sizes: Pi0Sizes) -> None:
        super().__init__()
        self.vision_model = SiglipTransformer(sizes.vision)


class Projector(nn.Module):
    """Patch features to the language model's width."""

    def __init__(self, sizes: Pi0Sizes) -> None:
        super().__init__()
        self.linear = nn.Linear(sizes.vision.hidden, sizes.language.width)


class PaliGemmaBody(nn.Module):
    """Vision tower, projector and language model."""

    def __init__(self, sizes: Pi0Sizes) -> None:
        super().__init__()
        self.vision_tower = VisionTower(sizes)
        self.multi_modal_projector = Projector(sizes)
        self.language_model = Gemma(sizes.language, vocabulary=sizes.vocabulary)

    def embed_images(self, images: Tensor, run: Run | None = None) -> Tensor:
        """Images (B, 3, side, side) in [-1, 1] to tokens (B, positions, width)."""
        tower = self.vision_tower.vision_model
        features = tower(images.to(tower.post_layernorm.weight.dtype), run)
        return self.multi_modal_projector.linear(features)


class PaliGemma(nn.Module):
    """PaliGemma without its language head, which pi0 never uses."""

    def __init__(self, sizes: Pi0Sizes) -> None:
        super().__init__()
        self.model = PaliGemmaBody(sizes)


class ActionExpert(nn.Module):
    """The second Gemma; no vocabulary, no language head."""

    def __init__(self, sizes: Pi0Sizes, *, adaptive: bool) -> None:
        super().__init__()
        self.model = Gemma(sizes.expert, adaptive=adaptive)


class PaliGemmaWithExpert(nn.Module):
    """Both Gemmas side by side."""

    def __init__(self, sizes: Pi0Sizes, *, adaptive: bool) -> None:
        super().__init__()
        self.paligemma = PaliGemma(sizes)
        self.gemma_expert = ActionExpert(sizes, adaptive=adaptive)
