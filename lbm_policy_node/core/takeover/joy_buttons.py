# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which buttons of a Joy message are down."""

from collections.abc import Mapping, Sequence

from lbm_policy_node.core.reasons import Reason, ReasonCode


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
