# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A message of a teleop source as values of core: live from rclpy or offline from a bag."""

from typing import Any

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_actions import TRAJECTORY, TWIST
from lbm_policy_node.core.spec.teleop_sources import BOOL, JOY, JoySource, TeleopSource
from lbm_policy_node.core.takeover.teleop_samples import TeleopSample, TwistSample, read_axes, read_button
from lbm_policy_node.messages.samples import sample_from_message
from lbm_policy_node.messages.stamps import to_ns

_MAY_LACK_STAMP = (JOY, TRAJECTORY)
"""Simple joystick drivers leave the stamp empty; in a trajectory an empty stamp means from now on."""


def motion_stamp_ns(message: Any, type_name: str, now_ns: int) -> int:
    """Return when a message of a teleop topic was made: its stamp, or its arrival where it has none."""
    if type_name == BOOL:
        return now_ns
    stamp_ns = to_ns(message.header.stamp)
    return now_ns if stamp_ns == 0 and type_name in _MAY_LACK_STAMP else stamp_ns


def motion_from_message(message: Any, source: TeleopSource) -> TeleopSample | Reason:
    """Convert a message of a source's motion topic; frames, joints and jumps are not judged here.

    Returns:
        The sample, or why there is none in the message: too few axes, or a trajectory without points.
    """
    if isinstance(source, JoySource):
        return read_axes(source, message.axes)
    if source.type == TWIST:
        linear, angular = message.twist.linear, message.twist.angular
        return TwistSample(
            np.array([linear.x, linear.y, linear.z]),
            np.array([angular.x, angular.y, angular.z]),
            message.header.frame_id,
        )
    if source.type == TRAJECTORY:
        return _last_point(message, source)
    sample = sample_from_message(message, source.type)
    assert isinstance(sample, (JointSample, PoseSample))  # the spec reader allows no other types
    return sample


def dead_man_from_message(message: Any, source: TeleopSource) -> bool | Reason:
    """Return whether a source's dead-man is held; or that the Joy has too few buttons."""
    if source.dead_man.button is None:
        return bool(message.data)
    pressed = read_button(source.dead_man.button, message.buttons, source.dead_man.topic)
    return Reason(pressed.code, f"{source.name}: {pressed.text}") if isinstance(pressed, Reason) else pressed


def _last_point(message: Any, source: TeleopSource) -> JointSample | Reason:
    """Return where a trajectory ends: leaders that send one point mean that, others their goal."""
    if not message.points:
        text = f"{source.name}: the trajectory on {source.topic} has no points"
        return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
    point = message.points[-1]
    quantities = (point.positions, point.velocities, point.effort)
    return JointSample(tuple(message.joint_names), *(np.asarray(values, np.float64) for values in quantities))
