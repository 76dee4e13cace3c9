# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A compressed image is what its format says: colours, a mosaic, or no picture of 8 bits at all."""

from array import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from lbm_policy_node.core.observation.samples import Sample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.messages.compressed_images import decode_compressed
from lbm_policy_node.messages.image_encoding import ConversionError, decode_raw
from lbm_policy_node.messages.samples import image_size, sample_from_message

TYPE = "sensor_msgs/msg/CompressedImage"
COLOUR = (200, 40, 10)
WALL = np.broadcast_to(np.array(COLOUR, np.uint8), (16, 24, 3))
GREY = np.full((16, 24), 90, np.uint8)
DEPTH = np.full((16, 24), 700, np.uint16)
PLACES = {"rggb": (0, 1, 1, 2), "bggr": (2, 1, 1, 0), "gbrg": (1, 2, 0, 1), "grbg": (1, 0, 2, 1)}


def mosaic(pattern: str) -> np.ndarray:
    """What a bayer camera sees of the wall."""
    values = np.zeros((16, 24), np.uint8)
    for index, channel in enumerate(PLACES[pattern]):
        values[index // 2 :: 2, index % 2 :: 2] = COLOUR[channel]
    return values


def file(image: np.ndarray, suffix: str = ".png") -> array:
    pixels = image[..., ::-1] if image.ndim == 3 else image
    return array("B", cv2.imencode(suffix, np.ascontiguousarray(pixels))[1].tobytes())


def sample(data: array, image_format: str) -> Sample:
    return sample_from_message(SimpleNamespace(format=image_format, data=data), TYPE)


def header(data: array, image_format: str) -> object:
    return image_size(SimpleNamespace(format=image_format, data=data), TYPE)


@pytest.mark.parametrize(
    ("suffix", "image_format", "tolerance"),
    [
        (".png", "rgb8; png compressed bgr8", 0),
        (".png", "rgba8; png compressed bgra8", 0),
        (".jpg", "jpeg", 12),
        (".jpg", "jpeg; quality 95", 12),
        (".jpg", "bgr8; jpeg compressed bgr8", 12),
        (".jpg", "yuv422_yuy2; jpeg compressed bgr8", 12),
        (".jpg", "bayer_rggb8; jpeg compressed bgr8", 12),
        (".jpg", "", 12),
        (".png", "", 0),
    ],
)
def test_jpeg_and_png_decode_to_rgb(suffix, image_format, tolerance):
    image = decode_compressed(file(WALL, suffix), image_format=image_format)
    np.testing.assert_allclose(image.astype(int), WALL.astype(int), atol=tolerance)


@pytest.mark.parametrize("image_format", ["mono8; png compressed ", "8UC1; png compressed mono8", "png", ""])
def test_grey_has_three_equal_channels(image_format):
    image = sample(file(GREY), image_format)
    np.testing.assert_array_equal(image, np.broadcast_to(GREY[..., None], (16, 24, 3)))


def test_transparency_is_left_out():
    seen = np.dstack((WALL[..., ::-1], GREY))
    data = array("B", cv2.imencode(".png", seen)[1].tobytes())
    np.testing.assert_array_equal(sample(data, "rgba8; png compressed bgra8"), WALL)


@pytest.mark.parametrize("pattern", sorted(PLACES))
def test_a_mosaic_has_the_colours_that_the_raw_image_has(pattern):
    encoding, data = f"bayer_{pattern}8", mosaic(pattern)
    raw = decode_raw(data.tobytes(), encoding=encoding, height=16, width=24, step=24)
    np.testing.assert_array_equal(sample(file(data), f"{encoding}; png compressed "), raw)
    np.testing.assert_array_equal(raw[4:-4, 4:-4], WALL[4:-4, 4:-4])
    for codec in ("jpeg compressed ", "jpeg compressed mono8"):
        lossy = sample(file(data, ".jpg"), f"{encoding}; {codec}")
        np.testing.assert_allclose(np.mean(np.asarray(lossy), axis=(0, 1)), COLOUR, atol=12)


@pytest.mark.parametrize(
    ("data", "image_format"),
    [
        (file(DEPTH), "16UC1; png compressed "),
        (file(GREY, ".jpg"), "16UC1; jpeg compressed mono8"),
        (file(DEPTH), "mono16; png compressed "),
        (file(GREY, ".jpg"), "bayer_rggb16; jpeg compressed mono8"),
        (file(WALL, ".jpg"), "rgb16; jpeg compressed bgr8"),
        (file(GREY), "32FC1; png compressed "),
    ],
)
def test_more_than_8_bits_are_refused_by_the_header_and_by_the_picture(data, image_format):
    for refused in (header(data, image_format), sample(data, image_format)):
        assert isinstance(refused, Reason) and refused.code == ReasonCode.OBSERVATION_WRONG_ENCODING
        assert "is not an RGB image of 8 bits per channel" in refused.text and image_format in refused.text


@pytest.mark.parametrize("image_format", ["png", "", "rgb8; png compressed bgr8"])
def test_a_file_of_16_bits_whose_header_hides_it_is_refused_at_use(image_format):
    assert header(file(DEPTH), image_format) is None
    refused = sample(file(DEPTH), image_format)
    assert isinstance(refused, Reason) and "is not an RGB image of 8 bits per channel" in refused.text


@pytest.mark.parametrize(
    "image_format", ["16UC1; compressedDepth png", "h264", "32FC1; tiff compressed ", ""]
)
def test_what_is_no_jpeg_or_png_is_refused_by_the_header(image_format):
    refused = header(array("B", b"\0\0\0\1 something"), image_format)
    assert isinstance(refused, Reason) and "expected jpeg or png" in refused.text


@pytest.mark.parametrize("data", [b"", b"\xff\xd8broken"])
def test_bytes_that_do_not_decode_are_refused(data):
    with pytest.raises(ConversionError, match="data of"):
        decode_compressed(array("B", data), image_format="jpeg")
