# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera bytes become RGB arrays, as views where the colours stay, and disagreeing sizes are refused."""

from array import array

import numpy as np
import pytest

from lbm_policy_node.messages.image_encoding import ConversionError, decode_raw

RGB = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)


def _message_bytes(image: np.ndarray, padding: int = 0) -> tuple[array, int]:
    rows = np.ascontiguousarray(image).reshape(len(image), -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return array("B", padded.tobytes()), padded.shape[1]


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "pixels"),
    [
        ("rgb8", RGB),
        ("bgr8", RGB[..., ::-1]),
        ("rgba8", np.dstack([RGB, np.full((2, 4), 9, np.uint8)])),
        ("bgra8", np.dstack([RGB[..., ::-1], np.full((2, 4), 9, np.uint8)])),
    ],
)
def test_colour_encodings_become_rgb_views_of_the_message(encoding, pixels, padding):
    data, step = _message_bytes(pixels, padding)
    image = decode_raw(data, encoding=encoding, height=2, width=4, step=step)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, RGB)
    assert np.shares_memory(image, np.frombuffer(data, np.uint8))


def test_mono_is_three_equal_channels_without_a_copy():
    data, step = _message_bytes(RGB[..., 0], 3)
    image = decode_raw(data, encoding="mono8", height=2, width=4, step=step)
    np.testing.assert_array_equal(image, np.repeat(RGB[..., :1], 3, axis=2))
    assert np.shares_memory(image, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("big_endian", [False, True])
def test_depth_values_survive_both_byte_orders(big_endian):
    depth = np.array([[1, 256], [4095, 65535]], np.uint16)
    data, step = _message_bytes(depth.astype(">u2" if big_endian else "<u2"), 2)
    image = decode_raw(data, encoding="16UC1", height=2, width=2, step=step, big_endian=big_endian)
    np.testing.assert_array_equal(image, depth)
    assert np.shares_memory(image, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_of_one_colour_gives_that_colour(pattern):
    colour = {"r": 200, "g": 100, "b": 50}
    tile = np.array([colour[c] for c in pattern], np.uint8).reshape(2, 2)
    data, step = _message_bytes(np.tile(tile, (4, 4)), 3)
    image = decode_raw(data, encoding=f"bayer_{pattern}8", height=8, width=8, step=step)
    np.testing.assert_array_equal(image[2:-2, 2:-2], np.broadcast_to([200, 100, 50], (4, 4, 3)))


@pytest.mark.parametrize(
    ("encoding", "order"), [("yuv422", [0, 1, 2, 1]), ("uyvy", [0, 1, 2, 1]), ("yuv422_yuy2", [1, 0, 1, 2])]
)
def test_yuv422_of_one_colour_gives_that_colour(encoding, order):
    u_y_v = np.array([90, 81, 240], np.uint8)  # ITU-R BT.601 studio red
    data, step = _message_bytes(np.tile(u_y_v[order], (2, 2)).reshape(2, 4, 2), 4)
    image = decode_raw(data, encoding=encoding, height=2, width=4, step=step)
    np.testing.assert_allclose(image.astype(int), np.broadcast_to([255, 0, 0], (2, 4, 3)), atol=3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"step": 11}, "step is 11"),
        ({"step": 13}, "data has 24 bytes"),
        ({"height": 3}, "data has 24 bytes"),
        ({"height": 0}, "0x4"),
        ({"width": 5}, "step is 12"),
        ({"encoding": "32FC1"}, "'32FC1'"),
        ({"encoding": "rgba8"}, "step is 12"),
    ],
)
def test_disagreeing_size_step_or_encoding_is_refused_by_name(change, named):
    data, step = _message_bytes(RGB)
    fields = {"encoding": "rgb8", "height": 2, "width": 4, "step": step} | change
    with pytest.raises(ConversionError, match=named):
        decode_raw(data, **fields)
