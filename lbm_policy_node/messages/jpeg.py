# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""JPEG bytes of uint8 RGB images, with the size read before anything is decoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lbm_policy_node.messages.compressed_images import decode_compressed
from lbm_policy_node.messages.image_encoding import ConversionError

SOI, SOS = 0xD8, 0xDA
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header, which holds the size (ITU T.81, table B.1)."""
STAND_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""


def encode_jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """Compress an image.

    Args:
        image: RGB, shape (height, width, 3).
        quality: 1 to 100; the loss is visible below about 80.
    """
    import cv2  # costs 0.1 s at start-up, and only some connections compress

    done, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ConversionError(f"an image of shape {image.shape} cannot be written as JPEG")
    return data.tobytes()


def decode_jpeg(data: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """Decompress an image of a known size into RGB, shape (height, width, 3).

    A few bytes can announce an image of gigabytes, so another size than the known one is refused unread.

    Raises:
        ConversionError: No JPEG, another size, or bytes that do not decode.
    """
    size = jpeg_size(data)
    if size != (height, width):
        raise ConversionError(
            f"the JPEG image is {size[0]}x{size[1]}; expected {height}x{width} (rows, columns)"
        )
    return np.ascontiguousarray(decode_compressed(data, image_format="jpeg"))


def jpeg_size(data: bytes | memoryview) -> tuple[int, int]:
    """Read rows and columns from the frame header.

    Raises:
        ConversionError: There is none.
    """
    at = 2
    while data[:2] == bytes((0xFF, SOI)) and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in FRAME_HEADERS:
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        if marker == SOS:
            break
        # 0xFF 0xFF is filling before a marker
        at += (
            1
            if marker == 0xFF
            else 2
            if marker in STAND_ALONE
            else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        )
    raise ConversionError(f"data of {len(data)} bytes is not a JPEG image")
