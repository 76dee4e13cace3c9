# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kind ``joy``: a gamepad or joystick whose axes move the end effector."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.spec_reader import SpecReader
from lbm_policy_node.core.spec.teleop_sources import JOY, TeleopSource
from lbm_policy_node.core.takeover.joy_axes import deflection_from, read_axis
from lbm_policy_node.core.takeover.kinds.twist import TwistSample, integrate_twist
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
        rest: What the axis reports untouched, -1 to 1: 0 for a stick, often 1 or -1 for a trigger.
        invert: Whether values below `rest` are the positive deflection, as when a trigger rests at 1.
    """

    axis: int
    component: str
    scale: float
    rest: float = 0.0
    invert: bool = False

    @property
    def rest_name(self) -> str:
        """How an operator calls where the axis rests."""
        return f"rest {self.rest:g}" if self.rest else "centre"

    def deflection(self, value: float, deadband: float) -> float:
        """Return how far the axis is pushed, -1 to 1; it grows from 0 at the end of the dead zone."""
        pushed = deflection_from(self.rest, value)
        beyond = max(abs(pushed) - deadband, 0.0) / (1.0 - deadband)
        return float(np.copysign(beyond, -pushed if self.invert else pushed)) if beyond else 0.0


@dataclass(frozen=True, kw_only=True)
class JoySource(TeleopSource):
    """A joystick whose axes move the end effector.

    Attributes:
        axes: Which axis moves what.
        deadband: Deflection from `rest` (0 to 1) below which an axis counts as at rest.
    """

    axes: tuple[AxisSpec, ...]
    deadband: float


@dataclass(frozen=True)
class JoySample:
    """The axes of one Joy message.

    Attributes:
        values: What the axes of the source report, finite, in the order of the source.
        usable: Indices (in the message) of the axes that were seen at rest, so that they may drive.
    """

    values: tuple[float, ...]
    usable: frozenset[int] = frozenset()


class JoyKind(TeleopKind[JoySource, JoySample]):
    """A rate: each axis is one component of a twist in the base frame.

    Drivers report axes off their centre before they are touched: a trigger at an end, a stick that another
    driver numbers differently. So an axis drives only after it was seen inside its dead zone, and again so
    after a pause in the messages longer than the source's ``max_age_s``.
    """

    types = (JOY,)
    unstamped_types = (JOY,)  # simple joystick drivers leave the stamp empty
    sample_type = JoySample

    def read_spec(self, entry: SpecReader, common: TeleopSource, robot: TeleopRobot) -> JoySource:
        """Read `axes` and `deadband`."""
        axes = _read_axis_specs(entry, robot)
        deadband = entry.number("deadband", default=0.05)
        if not 0.0 <= deadband < 1.0:
            raise entry.fail("deadband", "expected a deflection of at least 0 and below 1")
        if common.dead_man.topic == common.topic and common.dead_man.axis in [axis.axis for axis in axes]:
            raise entry.fail("dead_man", f"axis {common.dead_man.axis} moves the robot already")
        return common.extended(JoySource, axes=axes, deadband=deadband)

    def read_message(self, source: JoySource, message: Any) -> JoySample | Reason:
        """Read the axes of a Joy."""
        return read_axes(source, message.axes)

    def check_sample(self, source: JoySource, sample: JoySample) -> Reason | None:
        """Accept all: the numbers are checked already, and a Joy has no frame that means anything."""
        return None

    def continued(self, source: JoySource, before: JoySample | None, sample: JoySample) -> JoySample:
        """Add the axes that are at rest now to those that may drive."""
        return replace(sample, usable=sample.usable | (before.usable if before else frozenset()))

    def complaint(self, source: JoySource, sample: JoySample) -> str:
        """Name the axes that do not drive yet because they were not seen at rest."""
        texts = [
            f"axis {axis.axis} is off its {axis.rest_name} ({round(value, 2)})"
            for axis, value in zip(source.axes, sample.values, strict=True)
            if axis.axis not in sample.usable
        ]
        if not texts:
            return ""
        return f"{source.name}: {', '.join(texts)}; touch {'it' if len(texts) == 1 else 'them'}"

    def target(self, source: JoySource, step: TargetStep[JoySample]) -> Array:
        """Integrate the twist of the axes that may drive over the tick."""
        return integrate_twist(step, twist_of(source, step.sample))


def read_axes(source: JoySource, axes: Sequence[float]) -> JoySample | Reason:
    """Read the axes that the source maps; those that are at rest may drive from then on.

    Returns:
        The sample, or why the message cannot be used: too few axes, or a number that is not finite.
    """
    values: list[float] = []
    for axis in source.axes:
        value = read_axis(axis.axis, axes, source.topic)
        if isinstance(value, Reason):
            return replace(value, text=f"{source.name}: {value.text}")
        values.append(value)
    at_rest = (
        axis.axis
        for axis, value in zip(source.axes, values, strict=True)
        if axis.deflection(value, source.deadband) == 0.0
    )
    return JoySample(tuple(values), frozenset(at_rest))


def twist_of(source: JoySource, sample: JoySample) -> TwistSample:
    """Return the twist of the axes that may drive.

    Beyond the dead zone the speed grows from 0, so that crossing it is no step.
    """
    numbers = np.zeros(6)
    for axis, value in zip(source.axes, sample.values, strict=True):
        if axis.axis in sample.usable:
            speed = axis.scale * axis.deflection(value, source.deadband)
            numbers[TWIST_COMPONENTS.index(axis.component)] = speed
    return TwistSample(numbers[:3], numbers[3:])


def _read_axis_specs(entry: SpecReader, robot: TeleopRobot) -> tuple[AxisSpec, ...]:
    rotates = any(block.rotation for block in robot.action.blocks)
    axes: list[AxisSpec] = []
    for item in entry.items("axes"):
        axis = AxisSpec(
            axis=item.index("axis"),
            component=item.choice("component", TWIST_COMPONENTS),
            scale=item.number("scale"),
            rest=item.number("rest", default=0.0),
            invert=item.flag("invert", False),
        )
        if not -1.0 <= axis.rest <= 1.0:
            raise item.fail("rest", "expected what the axis reports untouched, -1 to 1")
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
