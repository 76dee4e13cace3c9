# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A short history of pictures at a low rate, and pictures as data URLs."""

from __future__ import annotations

import base64
import io
from collections import deque
from dataclasses import dataclass

from PIL import Image

from lbm_policy_node.core.types import ImageArray


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture (height, width, 3) uint8 RGB and how long after the episode's beginning it was taken."""

    elapsed_s: float
    image: ImageArray


class FrameHistory:
    """The newest pictures, at least a period apart; at most `size` of them."""

    def __init__(self, period_s: float, size: int) -> None:
        """Begin empty."""
        self._period_ns = round(period_s * 1e9)
        self._frames: deque[Frame] = deque(maxlen=size)
        self._kept_ns: int | None = None

    def push(self, stamp_ns: int, frame: Frame) -> None:
        """Keep a copy of the picture unless the last one is too recent; start over if time went back."""
        if self._kept_ns is not None and stamp_ns < self._kept_ns:
            self.clear()
        if self._kept_ns is None or stamp_ns - self._kept_ns >= self._period_ns:
            self._frames.append(Frame(frame.elapsed_s, frame.image.copy()))
            self._kept_ns = stamp_ns

    def frames(self) -> tuple[Frame, ...]:
        """Oldest first."""
        return tuple(self._frames)

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._kept_ns = None


def jpeg_data_url(image: ImageArray, max_side_px: int, quality: int) -> str:
    """A picture as `data:image/jpeg;base64,...`, shrunk until no side is longer than `max_side_px`."""
    picture = Image.fromarray(image)
    picture.thumbnail((max_side_px, max_side_px))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
