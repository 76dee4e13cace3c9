# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Observation encoder: images, state and instruction to one conditioning vector."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import STATE_KEY, TOKENS_KEY
from lbm_policy_node.policies.multitask_dit.clip import ClipTextTower, ClipVisionTower
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.images import center_crop, random_crop, resize
from lbm_policy_node.policies.multitask_dit.initialization import (
    initialize_text_tower,
    initialize_vision_tower,
)

logger = logging.getLogger(__name__)


class _VisionModel(nn.Module):
    """Gives the tower its name in the checkpoint: `model.vision_model`."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.vision_model = ClipVisionTower(config)


class VisionEncoder(nn.Module):
    """One CLIP vision tower."""

    def __init__(self, config: ClipVisionConfig) -> None:
        super().__init__()
        self.model = _VisionModel(config)
        initialize_vision_tower(self.model.vision_model)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, size)."""
        return self.model.vision_model(images)


class _TextModel(nn.Module):
    """Gives the tower its name in the checkpoint: `text_encoder.text_model`."""

    def __init__(self, config: ClipTextConfig) -> None:
        super().__init__()
        self.text_model = ClipTextTower(config)


class TextEncoder(nn.Module):
    """The CLIP text tower, frozen unless asked for, and a trainable projection."""

    def __init__(self, config: ClipTextConfig, width: int, *, train_tower: bool) -> None:
        super().__init__()
        self.text_encoder = _TextModel(config)
        initialize_text_tower(self.text_encoder.text_model)
        self.text_encoder.requires_grad_(train_tower)
        self.projection = nn.Linear(config.hidden_size, width)
        self._train_tower = train_tower

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (B, L) to features (B, width); equal instructions of a batch are computed once."""
        unique, rows = torch.unique(tokens, dim=0, return_inverse=True)
        with torch.set_grad_enabled(self._train_tower and torch.is_grad_enabled()):
            features = self.text_encoder.text_model(unique)
        return self.projection(features)[rows]


class ObservationEncoder(nn.Module):
    """Conditioning vector: per observation step [state, camera features, text], oldest step first.

    Camera order is that of the VISUAL entries of `input_features`. Cropping is random in training mode.

    Raises:
        CheckpointError: The images that remain after resize and crop do not have the vision tower's size.
    """

    def __init__(
        self,
        config: MultiTaskDiTConfig,
        vision: ClipVisionConfig,
        text: ClipTextConfig,
        *,
        train_text_tower: bool = False,
    ) -> None:
        super().__init__()
        self.cameras = tuple(config.image_features)
        self.resize_shape = config.image_resize_shape
        self.crop_shape = usable_crop(config)
        self.crop_is_random = config.image_crop_is_random
        _check_image_size(config, self.crop_shape, vision)
        if config.use_separate_rgb_encoder_per_camera:
            self.vision_encoders = nn.ModuleList(VisionEncoder(vision) for _ in self.cameras)
        elif self.cameras:
            self.vision_encoder = VisionEncoder(vision)
        self.text_encoder = TextEncoder(text, config.hidden_dim, train_tower=train_text_tower)
        per_step = config.state_dim + len(self.cameras) * vision.hidden_size + config.hidden_dim
        self.conditioning_dim = config.n_obs_steps * per_step

    def forward(self, batch: Mapping[str, Tensor], text: Tensor | None = None) -> Tensor:
        """Encode a preprocessed batch.

        Args:
            batch: `observation.state` (B, n_obs, state_dim), each camera (B, n_obs, 3, H, W), all
                normalised, and `observation.language.tokens` (B, L) unless `text` is given.
            text: Text features (B, hidden_dim) computed before.

        Returns:
            The conditioning vector, (B, conditioning_dim).
        """
        state = batch[STATE_KEY]
        features = self.text_encoder(batch[TOKENS_KEY]) if text is None else text
        parts = [state]
        if self.cameras:
            parts.append(self.encode_images(torch.stack([batch[key] for key in self.cameras], dim=2)))
        parts.append(features[:, None].expand(-1, state.shape[1], -1))
        return torch.cat(parts, dim=-1).flatten(1)

    def encode_images(self, images: Tensor) -> Tensor:
        """(B, n_obs, cameras, 3, H, W) to (B, n_obs, cameras * size)."""
        b, s = images.shape[:2]
        if hasattr(self, "vision_encoders"):
            views = [self._encode_flat(enc, images[:, :, i]) for i, enc in enumerate(self.vision_encoders)]
            return torch.cat([view.unflatten(0, (b, s)) for view in views], dim=-1)
        return self._encode_flat(self.vision_encoder, images.flatten(0, 1)).reshape(b, s, -1)

    def _encode_flat(self, encoder: nn.Module, images: Tensor) -> Tensor:
        return encoder(self._prepare(images.flatten(0, 1)))

    def _prepare(self, images: Tensor) -> Tensor:
        """Resize and crop a flat batch (B, 3, H, W)."""
        if self.resize_shape is not None:
            images = resize(images, self.resize_shape)
        if self.crop_shape is None:
            return images
        crop = random_crop if self.training and self.crop_is_random else center_crop
        return crop(images, self.crop_shape)


def usable_crop(config: MultiTaskDiTConfig) -> tuple[int, int] | None:
    """The crop, or None where the image is smaller than it: LeRobot then switches it off with a warning."""
    crop = config.image_crop_shape
    if crop is None or not config.image_features:
        return None
    height, width = config.image_resize_shape or next(iter(config.image_features.values())).shape[1:]
    if crop[0] > height or crop[1] > width:
        logger.warning("image_crop_shape %s does not fit images of %s: no crop", crop, (height, width))
        return None
    return crop


def _check_image_size(
    config: MultiTaskDiTConfig, crop: tuple[int, int] | None, vision: ClipVisionConfig
) -> None:
    """What reaches the vision tower must have its size, because its positions are learned."""
    if not config.image_features:
        return
    size = crop or config.image_resize_shape or next(iter(config.image_features.values())).shape[1:]
    if tuple(size) != (vision.image_size, vision.image_size):
        raise CheckpointError(
            "",
            "image_crop_shape",
            f"leaves images of {tuple(size)}, expected the vision tower's {vision.image_size}",
        )
