# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kind ``twist``: a stream of end-effector velocities, as a space mouse or another node sends them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.spec_actions import TWIST
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.teleop_checks import check_finite, check_frame
from lbm_policy_node.core.takeover.teleop_kind import TargetStep, TeleopKind, TeleopRobot
from lbm_policy_node.core.types import Array


@dataclass(frozen=True, kw_only=True)
class TwistSource(TeleopSource):
    """A stream of end-effector twists.

    Attributes:
        frame: frame_id that must arrive; default: the robot's base_frame.
    """

    frame: str


@dataclass(frozen=True, eq=False)
class TwistSample:
    """How fast the end effector should move.

    Attributes:
        linear: m/s, shape (3,).
        angular: rad/s, rotation vector, shape (3,).
        frame: frame_id of the header; empty from a joystick, which means the base frame.
    """

    linear: Array
    angular: Array
    frame: str = ""


class TwistKind(TeleopKind[TwistSource, TwistSample]):
    """A rate: the target moves with the twist."""

    types = (TWIST,)
    sample_type = TwistSample

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> TwistSource:
        """Read `frame`."""
        return common.extended(TwistSource, frame=entry.text("frame", robot.base_frame))

    def read_message(self, source: TwistSource, message: Any) -> TwistSample:
        """Read a TwistStamped."""
        linear, angular = message.twist.linear, message.twist.angular
        return TwistSample(
            np.array([linear.x, linear.y, linear.z]),
            np.array([angular.x, angular.y, angular.z]),
            message.header.frame_id,
        )

    def check_sample(self, source: TwistSource, sample: TwistSample) -> Reason | None:
        """Check the frame, and that all numbers are finite."""
        numbers = np.concatenate((sample.linear, sample.angular))
        return check_frame(source, sample.frame, source.frame) or check_finite(source, numbers)

    def target(self, source: TwistSource, step: TargetStep[TwistSample]) -> Array:
        """Integrate the twist over the tick."""
        return integrate_twist(step, step.sample)


def integrate_twist(step: TargetStep[Any], twist: TwistSample) -> Array:
    """Return the previous target moved by the twist, no faster than the limits, so it does not run ahead."""
    effector = step.robot.end_effector
    target, speeds = step.previous.copy(), effector.linear_velocity
    target[effector.position] += np.clip(twist.linear, -speeds, speeds) * step.duration_s
    rate = float(np.linalg.norm(twist.angular))
    if rate > 0.0 and effector.turns:
        share = min(1.0, effector.angular_velocity / rate)
        effector.turn(target, target, twist.angular * (share * step.duration_s))
    return target


KIND = TwistKind()
