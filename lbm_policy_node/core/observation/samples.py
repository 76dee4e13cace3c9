# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What one message of a stream says, before anything has been checked; the gate does that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.types import Array, ImageArray


@dataclass(frozen=True, eq=False)
class JointSample:
    """A joint state as it arrived.

    Attributes:
        names: Joint names in message order.
        position: rad or m; as many as names, or empty when not reported.
        velocity: rad/s or m/s; likewise.
        effort: Nm or N; likewise.
    """

    names: tuple[str, ...]
    position: Array
    velocity: Array
    effort: Array

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        position: Sequence[float],
        velocity: Sequence[float],
        effort: Sequence[float],
    ) -> JointSample:
        """Make a sample of plain lists."""
        return cls(tuple(names), *(np.asarray(values, np.float64) for values in (position, velocity, effort)))

    @classmethod
    def from_message(cls, message: Any) -> JointSample:
        """Read a sensor_msgs/JointState, or an object with its fields."""
        return cls.of(message.name, message.position, message.velocity, message.effort)


@dataclass(frozen=True, eq=False)
class PoseSample:
    """A pose as it arrived.

    Attributes:
        position: xyz, m, shape (3,).
        orientation: xyzw, shape (4,).
        frame: frame_id of the header.
    """

    position: Array
    orientation: Array
    frame: str

    @classmethod
    def from_message(cls, message: Any) -> PoseSample:
        """Read a geometry_msgs/PoseStamped, or an object with its fields."""
        point, turn = message.pose.position, message.pose.orientation
        return cls(
            np.array([point.x, point.y, point.z]),
            np.array([turn.x, turn.y, turn.z, turn.w]),
            message.header.frame_id,
        )


Sample = ImageArray | JointSample | PoseSample | Reason
"""An image (uint8, height, width, 3, RGB), joints, a pose, or why a message could not be decoded."""

ImageSize = tuple[int, int]
"""Rows and columns."""


def _unknown_size() -> None:
    return None


class LazySample:
    """A message as it arrived: decoded when its content is asked for, and only once.

    Decoding a compressed image takes milliseconds, and most images are never looked at. Not thread-safe.
    """

    def __init__(
        self,
        decode: Callable[[], Sample],
        read_size: Callable[[], ImageSize | Reason | None] = _unknown_size,
    ) -> None:
        """Keep the message, inside the two functions.

        Args:
            decode: Returns what the message says; called once at most, and released then.
            read_size: Returns the size of an image as its header says it, None where only decoding shows it,
                or why the image cannot be decoded.
        """
        self._decode: Callable[[], Sample] | None = decode
        self._read_size = read_size
        self._sample: Sample | None = None

    def decoded(self) -> Sample:
        """Return what the message says, or why it cannot be decoded."""
        if self._sample is None:
            assert self._decode is not None  # until there is a sample
            self._sample = self._decode()
            self._decode, self._read_size = None, _unknown_size
        return self._sample

    def image_size(self) -> ImageSize | Reason | None:
        """Return what is known of an image without decoding it; see ``read_size``."""
        if isinstance(self._sample, Reason):
            return self._sample
        return self._read_size()


def decoded(sample: Sample | LazySample) -> Sample:
    """Return a sample's content, whether it is decoded already or not."""
    return sample.decoded() if isinstance(sample, LazySample) else sample
