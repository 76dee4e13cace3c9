# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What all teleop messages have: a time, and the state of the dead-man switch. Motion is read by its kind."""

from collections.abc import Collection
from typing import Any

from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.teleop_sources import TeleopSource
from lbm_policy_node.core.takeover.joy_axes import is_pressed, read_axis
from lbm_policy_node.core.takeover.joy_buttons import read_button
from lbm_policy_node.messages.stamps import to_ns


def teleop_stamp_ns(message: Any, type_name: str, unstamped_types: Collection[str], now_ns: int) -> int:
    """Return when a message of a teleop topic was made.

    Args:
        message: Of a motion or of a dead-man switch.
        type_name: Its ROS type.
        unstamped_types: Types whose empty stamp means the time of arrival.
        now_ns: The time of arrival, which also counts for messages without a header.
    """
    if not hasattr(message, "header"):
        return now_ns
    stamp_ns = to_ns(message.header.stamp)
    return now_ns if stamp_ns == 0 and type_name in unstamped_types else stamp_ns


def dead_man_from_message(message: Any, source: TeleopSource) -> bool | Reason:
    """Return whether a source's dead-man switch is held; or that the Joy has too few buttons or axes."""
    switch = source.dead_man
    if switch.button is not None:
        pressed = read_button(switch.button, message.buttons, switch.topic)
    elif switch.axis is not None:
        value = read_axis(switch.axis, message.axes, switch.topic)
        pressed = value if isinstance(value, Reason) else is_pressed(switch, value)
    else:
        return bool(message.data)
    return Reason(pressed.code, f"{source.name}: {pressed.text}") if isinstance(pressed, Reason) else pressed
