# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a gamepad reports for a desired motion, by a robot spec's mapping: the inverse of kinds/joy.py."""

from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.joy_axes import value_at
from lbm_policy_node.core.takeover.kinds.joy import TWIST_COMPONENTS, JoySource
from lbm_policy_node.core.types import Array


@dataclass(frozen=True)
class JoyState:
    """The axes (-1 to 1) and buttons (0 or 1) of one Joy message."""

    axes: tuple[float, ...]
    buttons: tuple[int, ...]


class Joystick:
    """Plays the gamepad of one Joy source."""

    def __init__(self, source: JoySource) -> None:
        """Take the mapping.

        Raises:
            ValueError: The dead-man switch is not on the source's own Joy, so it would never be held.
        """
        switch = source.dead_man
        if (switch.button is None and switch.axis is None) or switch.topic != source.topic:
            where = f"has its dead-man switch on {switch.topic}"
            needs = f"a stand-in for its gamepad needs it as a button or an axis of {source.topic}"
            raise ValueError(f"teleop source '{source.name}' {where}; {needs}")
        self.source = source
        axes, buttons = [axis.axis for axis in source.axes], list(source.buttons.values())
        self._n_axes = 1 + max(axes + ([] if switch.axis is None else [switch.axis]), default=-1)
        self._n_buttons = 1 + max(buttons + ([] if switch.button is None else [switch.button]), default=-1)

    @property
    def components(self) -> tuple[str, ...]:
        """What its axes move, of TWIST_COMPONENTS."""
        return tuple(axis.component for axis in self.source.axes)

    @property
    def full_speed(self) -> Array:
        """Speeds at full deflection in the order of TWIST_COMPONENTS, shape (6,); 0 where nothing moves."""
        speeds = np.zeros(len(TWIST_COMPONENTS))
        for axis in self.source.axes:
            speeds[TWIST_COMPONENTS.index(axis.component)] = abs(axis.scale)
        return speeds

    def state(self, twist: Array, *, dead_man: bool, pressed: Set[str] = frozenset()) -> JoyState:
        """Return what the gamepad reports.

        Args:
            twist: Desired speeds in the order of TWIST_COMPONENTS, shape (6,), m/s and rad/s; clipped to full
                deflection, and without effect where no axis moves the component.
            dead_man: Whether the dead-man switch is held.
            pressed: Names of buttons that are down; all must be mapped in the spec.
        """
        axes, buttons = [0.0] * self._n_axes, [0] * self._n_buttons
        for axis in self.source.axes:
            speed = float(twist[TWIST_COMPONENTS.index(axis.component)])
            share = deflection(speed / axis.scale, self.source.deadband)
            axes[axis.axis] = value_at(axis.rest, -share if axis.invert else share)
        switch = self.source.dead_man
        if switch.button is not None:
            buttons[switch.button] = int(dead_man)
        elif switch.axis is not None:
            pressed_way = -1.0 if switch.rest > 0.0 else 1.0
            axes[switch.axis] = value_at(switch.rest, pressed_way if dead_man else 0.0)
        for name in pressed:
            buttons[self.source.buttons[name]] = 1
        return JoyState(tuple(axes), tuple(buttons))


def deflection(share: float, deadband: float) -> float:
    """Return the deflection that AxisSpec.deflection turns into a share (-1 to 1) of full speed, clipped."""
    if share == 0.0:
        return 0.0
    return float(np.copysign(deadband + (1.0 - deadband) * min(abs(share), 1.0), share))


def joy_source(spec: RobotSpec, name: str = "") -> JoySource:
    """Return the Joy source of that name, or the first one.

    Raises:
        ValueError: There is none; with the sources that there are.
    """
    for source in spec.teleop:
        if isinstance(source, JoySource) and name in ("", source.name):
            return source
    missing = f"no teleop source '{name}' of kind joy" if name else "no teleop source of kind joy"
    known = ", ".join(f"{source.name} ({source.type})" for source in spec.teleop) or "none"
    raise ValueError(f"robot '{spec.name}' has {missing}; its sources: {known}")
