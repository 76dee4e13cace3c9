# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A message of a robot's stream as a sample of core: live from rclpy or offline from a bag."""

from typing import Any

from lbm_policy_node.core.observation.samples import JointSample, PoseSample, Sample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_streams import JOINT_TYPES, POSE_TYPES
from lbm_policy_node.messages.image_encoding import ConversionError, decode_compressed, decode_raw


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


def _image(message: Any, type_name: str) -> Any:
    if type_name.endswith("CompressedImage"):
        return decode_compressed(message.data, image_format=message.format)
    return decode_raw(
        message.data,
        encoding=message.encoding,
        height=message.height,
        width=message.width,
        step=message.step,
        big_endian=bool(message.is_bigendian),
    )
