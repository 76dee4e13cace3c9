# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A message of a robot's stream as a sample of core: live from rclpy or offline from a bag."""

from collections.abc import Callable
from typing import Any

from lbm_policy_node.core.observation.samples import ImageSize, JointSample, LazySample, PoseSample, Sample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_streams import JOINT_TYPES, POSE_TYPES
from lbm_policy_node.messages.compressed_images import check_compressed, decode_compressed
from lbm_policy_node.messages.image_encoding import ConversionError, check_raw, decode_raw
from lbm_policy_node.messages.jpeg import jpeg_size


def sample_from_message(message: Any, type_name: str) -> Sample:
    """Convert a message; nothing is judged here but whether an image decodes.

    Args:
        message: Any object with the fields of the type.
        type_name: A ROS type of core.spec_streams, "sensor_msgs/msg/Image".

    Returns:
        The sample; of an uncompressed image a view of the message. Or OBSERVATION_WRONG_ENCODING.
    """
    if type_name in JOINT_TYPES:
        return JointSample.from_message(message)
    if type_name in POSE_TYPES:
        return PoseSample.from_message(message)
    try:
        return _image(message, type_name)
    except ConversionError as error:
        return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, str(error))


def lazy_sample(
    message: Any, type_name: str, decode: Callable[[Any, str], Sample] = sample_from_message
) -> LazySample:
    """Hold a message as a sample that is converted when its content is first read.

    Args:
        message: Any object with the fields of the type; it must not change afterwards.
        type_name: A ROS type of core.spec_streams.
        decode: Converts it.
    """
    if type_name in JOINT_TYPES or type_name in POSE_TYPES:
        return LazySample(lambda: decode(message, type_name))
    return LazySample(lambda: decode(message, type_name), lambda: image_size(message, type_name))


def image_size(message: Any, type_name: str) -> ImageSize | Reason | None:
    """Read the size of an image from its header.

    Returns:
        Rows and columns; None for a compressed image that is no readable JPEG: only decoding shows it. Or
        OBSERVATION_WRONG_ENCODING with the words of ``sample_from_message``.
    """
    try:
        if _is_compressed(type_name):
            check_compressed(message.data, image_format=message.format)
            return _compressed_size(message.data)
        check_raw(
            message.data,
            encoding=message.encoding,
            height=message.height,
            width=message.width,
            step=message.step,
        )
    except ConversionError as error:
        return Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, str(error))
    return message.height, message.width


def _compressed_size(data: Any) -> ImageSize | None:
    try:
        return jpeg_size(memoryview(data))
    except ConversionError:
        return None


def _is_compressed(type_name: str) -> bool:
    return type_name.endswith("CompressedImage")


def _image(message: Any, type_name: str) -> Any:
    if _is_compressed(type_name):
        return decode_compressed(message.data, image_format=message.format)
    return decode_raw(
        message.data,
        encoding=message.encoding,
        height=message.height,
        width=message.width,
        step=message.step,
        big_endian=bool(message.is_bigendian),
    )
