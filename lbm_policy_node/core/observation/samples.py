# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What one message of a stream says, before anything has been checked; the gate does that."""

from dataclasses import dataclass

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


Sample = ImageArray | JointSample | PoseSample | Reason
"""An image (uint8, height, width, 3, RGB), joints, a pose, or why a message could not be decoded."""
