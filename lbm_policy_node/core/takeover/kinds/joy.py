# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kind ``joy``: a gamepad or joystick whose axes move the end effector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.teleop_sources import JOY, TeleopSource
from lbm_policy_node.core.takeover.kinds.twist import TwistSample, integrate_twist
from lbm_policy_node.core.takeover.teleop_checks import check_finite
from lbm_policy_node.core.takeover.teleop_kind import TargetStep, TeleopKind, TeleopRobot
from lbm_policy_node.core.types import Array

TWIST_COMPONENTS = ("x", "y", "z", "rx", "ry", "rz")


@dataclass(frozen=True)
class AxisSpec:
    """One axis of a joystick.

    Attributes:
        axis: Index into the Joy's axes.
        component: Of the end effector's twist in the base frame, one of TWIST_COMPONENTS.
        scale: m/s (x, y, z) or rad/s (rx, ry, rz) at full deflection; its sign says which way.
    """

    axis: int
    component: str
    scale: float


@dataclass(frozen=True, kw_only=True)
class JoySource(TeleopSource):
    """A joystick whose axes move the end effector.

    Attributes:
        axes: Which axis moves what.
        deadband: Deflection (0 to 1) below which an axis counts as at rest.
    """

    axes: tuple[AxisSpec, ...]
    deadband: float


class JoyKind(TeleopKind[JoySource, TwistSample]):
    """A rate: each axis is one component of a twist in the base frame."""

    types = (JOY,)
    unstamped_types = (JOY,)  # simple joystick drivers leave the stamp empty
    sample_type = TwistSample

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> JoySource:
        """Read `axes` and `deadband`."""
        axes = _read_axis_specs(entry, robot)
        deadband = entry.number("deadband", default=0.05)
        if not 0.0 <= deadband < 1.0:
            raise entry.fail("deadband", "expected a deflection of at least 0 and below 1")
        return common.extended(JoySource, axes=axes, deadband=deadband)

    def read_message(self, source: JoySource, message: Any) -> TwistSample | Reason:
        """Read the axes of a Joy."""
        return read_axes(source, message.axes)

    def check_sample(self, source: JoySource, sample: TwistSample) -> Reason | None:
        """Check that all numbers are finite; a Joy has no frame that means anything."""
        return check_finite(source, np.concatenate((sample.linear, sample.angular)))

    def target(self, source: JoySource, step: TargetStep[TwistSample]) -> Array:
        """Integrate the twist over the tick."""
        return integrate_twist(step)


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


def _read_axis_specs(entry: SpecReader, robot: TeleopRobot) -> tuple[AxisSpec, ...]:
    rotates = any(block.rotation for block in robot.action.blocks)
    axes: list[AxisSpec] = []
    for item in entry.items("axes"):
        axis = AxisSpec(item.index("axis"), item.choice("component", TWIST_COMPONENTS), item.number("scale"))
        if axis.component in TWIST_COMPONENTS[3:] and not rotates:
            raise item.fail("component", "this robot's action has no orientation to turn")
        if axis.component in [other.component for other in axes]:
            raise item.fail("component", "another axis moves this component already")
        if axis.scale == 0.0:
            raise item.fail("scale", "expected m/s or rad/s at full deflection, not 0")
        item.close()
        axes.append(axis)
    return tuple(axes)


KIND = JoyKind()
