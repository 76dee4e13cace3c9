# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Images travel as JPEG, and only images of the size that a camera has are decoded."""

import numpy as np
import pytest

from lbm_policy_node.messages.image_encoding import ConversionError
from lbm_policy_node.messages.jpeg import decode_jpeg, encode_jpeg, jpeg_size

GRADIENT = np.linspace(0, 255, 48 * 64 * 3).reshape(48, 64, 3).astype(np.uint8)


def test_an_image_survives_with_its_colours():
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    back = decode_jpeg(encode_jpeg(red, 95), 48, 64)
    assert back.dtype == np.uint8 and back.shape == red.shape
    assert np.abs(back.astype(int) - red).max() <= 6


def test_a_lower_quality_is_smaller_and_further_off():
    fine, coarse = (encode_jpeg(GRADIENT, quality) for quality in (95, 20))
    assert len(coarse) < len(fine) < GRADIENT.nbytes
    off = [np.abs(decode_jpeg(data, 48, 64).astype(int) - GRADIENT).mean() for data in (fine, coarse)]
    assert off[0] < off[1] < 10


def test_the_size_stands_in_the_header():
    assert jpeg_size(encode_jpeg(GRADIENT, 50)) == (48, 64)


def test_an_image_that_claims_gigabytes_is_refused_unread():
    data = bytearray(encode_jpeg(GRADIENT, 50))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(ConversionError, match="65535x65535; expected 48x64"):
        decode_jpeg(bytes(data), 48, 64)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"GIF89a" * 10, b"\xff\xd8\xff\xda" + bytes(20), bytes(100)]
)
def test_bytes_that_are_no_jpeg_are_refused(data):
    with pytest.raises(ConversionError, match="is not a JPEG image"):
        decode_jpeg(data, 48, 64)


def test_a_jpeg_cut_short_in_its_header_is_refused():
    with pytest.raises(ConversionError, match="JPEG"):
        decode_jpeg(encode_jpeg(GRADIENT, 50)[:40], 48, 64)
