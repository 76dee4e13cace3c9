# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Images of ``sensor_msgs/CompressedImage``, as image_transport's ``compressed`` plugin sends them.

Its ``format`` is ``jpeg``, or the encoding of the camera, then what was done to it: ``rgb8; jpeg compressed
bgr8``. The plugin does not debayer: a bayer camera's file is the mosaic in one channel. It scales or cuts
16-bit pixels into a jpeg; what is left of them is no picture.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.messages.image_encoding import DEBAYER, ConversionError, Image, debayer

NOT_RGB = "is not an RGB image of 8 bits per channel"
_CODECS = ("jpeg", "jpg", "png")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_NOT_EIGHT_BITS = re.compile("16|32|64|8SC")
"""In names of encodings: mono16, bayer_rggb16, 32FC1, ..."""


@dataclass(frozen=True)
class CompressedFormat:
    """What the ``format`` of a message says.

    Attributes:
        encoding: Of the camera, "bayer_rggb8"; empty where it is not said.
        codec: How it was compressed, lower case; empty where it is not said.
    """

    encoding: str
    codec: str

    @classmethod
    def parse(cls, text: str) -> "CompressedFormat":
        """Split the text at the semicolon; a text that begins with the codec names no encoding."""
        before, semicolon, after = text.partition(";")
        if not semicolon or any(codec in before.lower() for codec in _CODECS):
            return cls("", text.strip().lower())
        return cls(before.strip(), after.strip().lower())


def check_compressed(data: Any, *, image_format: str) -> None:
    """Refuse by its format what is no jpeg or png of 8 bits; the picture is not decoded.

    Args:
        data: The file's bytes; where the format is empty their beginning says what they are.
        image_format: ``CompressedImage.format``.

    Raises:
        ConversionError: Another format, depth included, or a camera of more than 8 bits per channel.
    """
    form = CompressedFormat.parse(image_format)
    if not form.codec:
        known = bytes(memoryview(data)[:8]).startswith(_MAGIC)
    else:
        known = "depth" not in form.codec and any(codec in form.codec for codec in _CODECS)
    if not known:
        raise ConversionError(f"format is '{image_format}'; expected jpeg or png")
    if _NOT_EIGHT_BITS.search(form.encoding):
        raise ConversionError(f"format is '{image_format}': '{form.encoding}' {NOT_RGB}")


def load_decoder() -> None:
    """Load what decodes compressed images, which takes 0.1 s, before the first one waits for it."""
    import cv2  # noqa: F401  # for its side effect


def decode_compressed(data: Any, *, image_format: str) -> Image:
    """Decode a jpeg or png into uint8 RGB, shape (height, width, 3).

    The colours are those that the file says, also after ``; jpeg compressed rgb8``; a mosaic is debayered.

    Args:
        data: The file's bytes.
        image_format: ``CompressedImage.format``, for example ``jpeg`` or ``bgr8; png compressed bgr8``.

    Raises:
        ConversionError: See ``check_compressed``; or bytes that do not decode, or not to 8 bits per channel.
    """
    import cv2

    check_compressed(data, image_format=image_format)
    file_bytes = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(file_bytes, cv2.IMREAD_UNCHANGED) if file_bytes.size else None
    if image is None:
        text = f"data of {file_bytes.size} bytes is not a whole {image_format or 'jpeg or png'} image"
        raise ConversionError(text)
    if image.dtype != np.uint8:
        raise ConversionError(f"data holds a file of {image.dtype} pixels: it {NOT_RGB}")
    return _to_rgb(image, CompressedFormat.parse(image_format).encoding)


def _to_rgb(image: Image, encoding: str) -> Image:
    """Bring what OpenCV makes of a file (grey, BGR or BGRA) into RGB."""
    if image.ndim == 3:
        return image[..., 2::-1]
    if encoding in DEBAYER:
        return debayer(image, encoding)
    return np.broadcast_to(image[..., None], (*image.shape, 3))
