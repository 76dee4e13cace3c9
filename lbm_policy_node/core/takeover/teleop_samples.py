# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What one message of a teleop source says: a twist, a pose or joints, and which buttons are down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.teleop_sources import TWIST_COMPONENTS, JoySource
from lbm_policy_node.core.types import Array


@dataclass(frozen=True, eq=False)
class TwistSample:
    """How fast the end effector is asked to move.

    Attributes:
        linear: m/s, shape (3,).
        angular: rad/s, rotation vector, shape (3,).
        frame: frame_id of the header; empty from a joystick, which means the base frame.
    """

    linear: Array
    angular: Array
    frame: str = ""


TeleopSample = TwistSample | PoseSample | JointSample


def read_axes(source: JoySource, axes: Sequence[float]) -> TwistSample | Reason:
    """Turn a joystick's axes into a twist.

    Beyond the deadband the speed grows from 0, so that crossing it is no step.

    Returns:
        The twist, or why the message cannot be used: too few axes, or a number that is not finite.
    """
    numbers = np.zeros(6)
    for axis in source.axes:
        if axis.axis >= len(axes):
            text = f"{source.name}: the spec maps axis {axis.axis}, {source.topic} has {len(axes)} axes"
            return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)
        value = float(axes[axis.axis])
        if not np.isfinite(value):
            text = f"{source.name}: axis {axis.axis} of {source.topic} is {value}"
            return Reason(ReasonCode.OBSERVATION_NON_FINITE, text)
        beyond = max(min(abs(value), 1.0) - source.deadband, 0.0) / (1.0 - source.deadband)
        numbers[TWIST_COMPONENTS.index(axis.component)] = axis.scale * float(np.copysign(beyond, value))
    return TwistSample(numbers[:3], numbers[3:])


def read_button(button: int, buttons: Sequence[int], topic: str) -> bool | Reason:
    """Return whether a button is down, or that the message has too few."""
    if button < len(buttons):
        return bool(buttons[button])
    text = f"the spec maps button {button}, {topic} has {len(buttons)} buttons"
    return Reason(ReasonCode.OBSERVATION_WRONG_SHAPE, text)


def read_buttons(mapped: Mapping[str, int], buttons: Sequence[int], topic: str) -> frozenset[str] | Reason:
    """Return what is pressed ("gripper_open", "success", ...), or that the message has too few buttons."""
    pressed: set[str] = set()
    for name, button in mapped.items():
        down = read_button(button, buttons, topic)
        if isinstance(down, Reason):
            return down
        if down:
            pressed.add(name)
    return frozenset(pressed)
