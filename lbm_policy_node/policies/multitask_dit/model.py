# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The trainable model: observation encoder, diffusion transformer and objective together."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lbm_policy_node.policies.checkpoint.features import ACTION_KEY
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.diffusion import Diffusion
from lbm_policy_node.policies.multitask_dit.encoder import ObservationEncoder
from lbm_policy_node.policies.multitask_dit.flow_matching import FlowMatching
from lbm_policy_node.policies.multitask_dit.network import DiffusionTransformer
from lbm_policy_node.policies.multitask_dit.objective import Network, NoiseSource, Objective

PADDING_KEY = "action_is_pad"
WEIGHTS_KEY = "action_weight"


def make_objective(config: MultiTaskDiTConfig) -> Objective:
    """The objective that the configuration names."""
    return Diffusion(config) if config.objective == "diffusion" else FlowMatching(config)


class MultiTaskDiT(nn.Module):
    """The multitask DiT; its state dict has LeRobot's names.

    Works on preprocessed (normalised, tokenised) batches. Random numbers come from torch's default generator
    unless they are passed in.
    """

    def __init__(
        self,
        config: MultiTaskDiTConfig,
        vision: ClipVisionConfig,
        text: ClipTextConfig,
        *,
        train_text_tower: bool = False,
    ) -> None:
        """Build with fresh weights.

        Args:
            config: All settings.
            vision: Architecture of the vision tower.
            text: Architecture of the text tower.
            train_text_tower: LeRobot freezes the text tower; a model trained from scratch should not.
        """
        super().__init__()
        self.config = config
        self.vision_config = vision
        self.text_config = text
        self.observation_encoder = ObservationEncoder(config, vision, text, train_text_tower=train_text_tower)
        self.noise_predictor = DiffusionTransformer(config, self.observation_encoder.conditioning_dim)
        self.objective = make_objective(config)

    def forward(self, batch: Mapping[str, Tensor], draws: int = 1) -> Tensor:
        """The training loss, so that wrappers for distributed training work."""
        return self.loss(batch, draws=draws)

    def encode(self, batch: Mapping[str, Tensor], text: Tensor | None = None) -> Tensor:
        """Conditioning vector (B, conditioning_dim) of a preprocessed batch."""
        return self.observation_encoder(batch, text)

    def network(self, x: Tensor, t: Tensor, cond: Tensor) -> Tensor:
        """One call of the diffusion transformer."""
        return self.noise_predictor(x, t, cond)

    def loss(
        self,
        batch: Mapping[str, Tensor],
        noise: Tensor | None = None,
        t: Tensor | None = None,
        draws: int = 1,
        cond: Tensor | None = None,
    ) -> Tensor:
        """Mean squared error of the prediction.

        Args:
            batch: As for `encode`, plus `action` (B, horizon, action_dim) and, with
                `do_mask_loss_for_padding`, `action_is_pad` (B, horizon). `action_weight` (B, horizon), if
                it is there, multiplies the error of each future step; the mean stays one over steps.
            noise: (draws * B, horizon, action_dim); drawn when None.
            t: Times (draws * B,); drawn after the noise when None.
            draws: Noises and times per observation: reuses the encoding (our addition; LeRobot has 1).
            cond: The batch's conditioning vector (B, conditioning_dim) if it is known already.

        Returns:
            The loss, a scalar.
        """
        data = batch[ACTION_KEY].repeat(draws, 1, 1)
        cond = (self.encode(batch) if cond is None else cond).repeat(draws, 1)
        noise = torch.randn_like(data) if noise is None else noise
        t = self.objective.draw_times(len(data), data) if t is None else t
        x, target = self.objective.training_pair(data, noise, t)
        error = (self.network(x, t, cond).float() - target.float()).square()
        if WEIGHTS_KEY in batch:
            error = error * batch[WEIGHTS_KEY].repeat(draws, 1)[..., None]
        if not self.config.do_mask_loss_for_padding:
            return error.mean()
        valid = ~batch[PADDING_KEY].repeat(draws, 1)
        return (error * valid[..., None]).sum() / (valid.sum().clamp(min=1) * error.shape[-1])

    def sample(
        self,
        cond: Tensor,
        noise: Tensor,
        step_noise: NoiseSource | None = None,
        network: Network | None = None,
    ) -> Tensor:
        """Normalised actions for the whole horizon.

        Args:
            cond: (B, conditioning_dim).
            noise: Initial noise (B, horizon, action_dim).
            step_noise: Noise of the DDPM steps; drawn from the default generator when None.
            network: Replaces the plain network call, for the faster inference path.

        Returns:
            (B, horizon, action_dim).
        """

        def plain(x: Tensor, t: float) -> Tensor:
            return self.network(x, torch.full((len(x),), t, device=x.device), cond)

        draw = step_noise or (lambda: torch.randn_like(noise))
        return self.objective.sample(network or plain, noise, draw)
