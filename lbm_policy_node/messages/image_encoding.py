# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Image bytes of the encodings that cameras send, as numpy arrays, without a copy where no colours change.

Encoding names are those of ``sensor_msgs/image_encodings.hpp``. Views share the memory of the message.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]


class ConversionError(ValueError):
    """A message cannot be turned into a value; the text names the field, its value and the expectation."""


def _rows(data: Any, height: int, width: int, step: int, channels: int, dtype: np.dtype[Any]) -> Image:
    """View the bytes as (height, width, channels), padding at the end of the rows left out."""
    strides = (step, channels * dtype.itemsize, dtype.itemsize)
    return np.ndarray((height, width, channels), dtype, memoryview(data).cast("B"), 0, strides)


def _mono(image: Image) -> Image:
    return np.broadcast_to(image, (*image.shape[:2], 3))


DEBAYER = {
    "bayer_rggb8": "COLOR_BayerBG2RGB",
    "bayer_bggr8": "COLOR_BayerRG2RGB",
    "bayer_gbrg8": "COLOR_BayerGR2RGB",
    "bayer_grbg8": "COLOR_BayerGB2RGB",
}
"""OpenCV names a bayer pattern by the second row's second and third pixel, ROS by the first two pixels of
the first two rows: rggb there is BG here (the same table as cv_bridge's)."""


def debayer(mosaic: Image, encoding: str) -> Image:
    """Return the colours of a mosaic, uint8 (height, width), as uint8 RGB; encodings are those of DEBAYER."""
    return _opencv(DEBAYER[encoding])(mosaic)


def _opencv(code_name: str) -> Callable[[Image], Image]:
    def convert(image: Image) -> Image:
        import cv2  # OpenCV costs 0.1 s at start-up and only some cameras need it

        source = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        return cv2.cvtColor(np.ascontiguousarray(source), getattr(cv2, code_name))

    return convert


_DECODERS: dict[str, tuple[int, str, Callable[[Image], Image]]] = {
    "rgb8": (3, "u1", lambda image: image),
    "bgr8": (3, "u1", lambda image: image[..., ::-1]),
    "rgba8": (4, "u1", lambda image: image[..., :3]),
    "bgra8": (4, "u1", lambda image: image[..., 2::-1]),
    "mono8": (1, "u1", _mono),
    "8UC1": (1, "u1", _mono),
    "16UC1": (1, "u2", lambda image: image[..., 0]),
    **{encoding: (1, "u1", _opencv(code)) for encoding, code in DEBAYER.items()},
    "yuv422": (2, "u1", _opencv("COLOR_YUV2RGB_UYVY")),
    "uyvy": (2, "u1", _opencv("COLOR_YUV2RGB_UYVY")),
    "yuv422_yuy2": (2, "u1", _opencv("COLOR_YUV2RGB_YUY2")),
    "yuyv": (2, "u1", _opencv("COLOR_YUV2RGB_YUY2")),
}
KNOWN_ENCODINGS = frozenset(_DECODERS)


def check_raw(data: Any, *, encoding: str, height: int, width: int, step: int) -> None:
    """Refuse an uncompressed image whose header is wrong; the pixels are not touched.

    Args:
        data: Its bytes.
        encoding: One of ``KNOWN_ENCODINGS``.
        height: Rows.
        width: Columns.
        step: Bytes from one row to the next, padding included.

    Raises:
        ConversionError: The encoding is unknown, or size, step and number of bytes disagree.
    """
    if encoding not in _DECODERS:
        raise ConversionError(f"encoding is '{encoding}'; expected one of {sorted(_DECODERS)}")
    channels, kind, _ = _DECODERS[encoding]
    row_bytes = width * channels * np.dtype(kind).itemsize
    if channels == 2 and width % 2:
        raise ConversionError(f"width is {width}; expected an even number of columns for '{encoding}'")
    if height <= 0 or width <= 0:
        raise ConversionError(f"image is {height}x{width}; expected at least 1x1")
    if step < row_bytes:
        raise ConversionError(f"step is {step} bytes; expected at least {row_bytes} for {width} columns")
    if len(data) != step * height:
        raise ConversionError(f"data has {len(data)} bytes; expected step*height = {step * height}")


def decode_raw(
    data: Any, *, encoding: str, height: int, width: int, step: int, big_endian: bool = False
) -> Image:
    """Turn the bytes of an uncompressed image into an array.

    Args:
        data: A bytes-like object of step * height bytes; the result may be a view of it.
        encoding, height, width, step: See ``check_raw``.
        big_endian: Byte order of 16-bit pixels.

    Returns:
        uint8 (height, width, 3) RGB, or uint16 (height, width) for 16UC1 (in the byte order of the data).

    Raises:
        ConversionError: See ``check_raw``.
    """
    check_raw(data, encoding=encoding, height=height, width=width, step=step)
    channels, kind, decode = _DECODERS[encoding]
    dtype = np.dtype(kind).newbyteorder(">" if big_endian else "<")
    return decode(_rows(data, height, width, step, channels, dtype))
