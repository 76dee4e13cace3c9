# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera images as PaliGemma takes them: resized with padding, in [-1, 1]."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def resize_with_padding(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Fit images into a size without changing their aspect; the border is black, an odd row or column of it
    at the bottom or the right.

    Bilinear without antialiasing, as openpi's and LeRobot's PyTorch code does it.

    Args:
        images: (B, 3, height, width) in [0, 1].
        size: Height and width of the result.
    """
    height, width = images.shape[-2:]
    if (height, width) == tuple(size):
        return images
    ratio = max(width / size[1], height / size[0])
    inner = int(height / ratio), int(width / ratio)
    resized = functional.interpolate(images, size=inner, mode="bilinear", align_corners=False)
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    borders = (left, size[1] - inner[1] - left, top, size[0] - inner[0] - top)
    return functional.pad(resized.clamp(0.0, 1.0), borders, value=0.0)


def to_network(images: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, 3, H, W) in [0, 1] to (B, 3, *size) in [-1, 1]; the border becomes -1."""
    return resize_with_padding(images, size) * 2.0 - 1.0
