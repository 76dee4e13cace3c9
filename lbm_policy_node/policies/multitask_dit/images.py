# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Resize and crop of image batches, equal to torchvision's without needing it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear with antialiasing, (B, C, H, W) to (B, C, *size)."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return functional.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=True)


def center_crop(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of each image; half pixels are rounded to even, as in torchvision."""
    top = round((images.shape[-2] - size[0]) / 2)
    left = round((images.shape[-1] - size[1]) / 2)
    return images[..., top : top + size[0], left : left + size[1]]


def random_crop(images: Tensor, size: tuple[int, int]) -> Tensor:
    """One random location for the whole batch, from torch's default generator."""
    top = int(torch.randint(0, images.shape[-2] - size[0] + 1, (1,)))
    left = int(torch.randint(0, images.shape[-1] - size[1] + 1, (1,)))
    return images[..., top : top + size[0], left : left + size[1]]
