# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What keys mean for a robot: a terminal reports presses of keys but never releases.

```
 press w        terminal repeats w w w w w           released
   |  wait of 0.2-0.66 s  | | | | | | |
   |======|               |=============|======|                 motion: 0.15 s after each
   |==================================================......|    dead-man switch: 0.6 s after the last
```
The dead-man switch stays held until a key repeats; the motion does not, so that a tap is a small step.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lbm_policy_node.core.spec.teleop_sources import BUTTONS
from lbm_policy_node.core.takeover.kinds.joy import TWIST_COMPONENTS
from lbm_policy_node.core.types import Array

HOLD_NS: Final = 600_000_000
"""How long the dead-man switch counts as pressed after the last press."""
MOTION_NS: Final = 150_000_000
"""How long a motion goes on after the last press of its key; keys repeat every 20 to 50 ms."""
BUTTON_NS: Final = 200_000_000
"""How long a button counts as pressed."""

HOLD_KEY: Final = "space"
QUIT_KEYS: Final = ("q", "end_of_input")
SPEED_KEYS: Final = "123456789"

MOTION_KEYS: Final[Mapping[str, tuple[str, int]]] = {
    "w": ("x", 1), "s": ("x", -1), "a": ("y", 1), "d": ("y", -1), "r": ("z", 1), "f": ("z", -1),
    "u": ("rx", 1), "j": ("rx", -1), "i": ("ry", 1), "k": ("ry", -1), "o": ("rz", 1), "l": ("rz", -1),
    "up": ("x", 1), "down": ("x", -1), "left": ("y", 1), "right": ("y", -1),
    "page_up": ("z", 1), "page_down": ("z", -1),
}  # fmt: skip
"""Key to component of the twist and direction."""

BUTTON_KEYS: Final[Mapping[str, str]] = {
    "c": "gripper_close", "v": "gripper_open", "y": "success", "n": "failure", "x": "discard", "m": "mark",
    "b": "start", "h": "stop", "p": "resume", "backspace": "estop",
}  # fmt: skip
"""Key to button; "b" begins an episode, "h" halts it, "p" lets the policy go on."""

assert set(BUTTON_KEYS.values()) == set(BUTTONS)


@dataclass(frozen=True, eq=False)
class KeyboardState:
    """What the keyboard asks for at an instant.

    Attributes:
        motion: Shares of full speed (-1 to 1) in the order of TWIST_COMPONENTS, shape (6,).
        dead_man: Whether the dead-man switch is held.
        pressed: Names of buttons that are down.
    """

    motion: Array
    dead_man: bool
    pressed: frozenset[str]


class Keyboard:
    """Takes keys and a clock that never goes back, returns what they ask for.

    Attributes:
        speed: Share of full speed that a motion key asks for.
    """

    def __init__(self, components: Collection[str], buttons: Collection[str]) -> None:
        """Take what there is to move and to press; other keys do nothing.

        Args:
            components: Of TWIST_COMPONENTS.
            buttons: Of BUTTONS.
        """
        self.motion_keys = {key: c for key, c in MOTION_KEYS.items() if c[0] in components}
        self.button_keys = {key: button for key, button in BUTTON_KEYS.items() if button in buttons}
        self.speed = 0.5
        self._held_until_ns = 0
        self._moves: dict[str, tuple[int, int]] = {}  # component -> direction, until when
        self._buttons: dict[str, int] = {}  # button -> until when

    def press(self, key: str, now_ns: int) -> None:
        """Take one press or repeat of a key, by its name from KeyDecoder."""
        if key in self.motion_keys:
            component, direction = self.motion_keys[key]
            self._moves[component] = (direction, now_ns + MOTION_NS)
            self._held_until_ns = now_ns + HOLD_NS
        elif key == HOLD_KEY:
            self._held_until_ns = now_ns + HOLD_NS
        elif key in self.button_keys:
            self._buttons[self.button_keys[key]] = now_ns + BUTTON_NS
            if self.button_keys[key] == "estop":
                self.release()
        elif key in SPEED_KEYS:
            self.speed = int(key) / 10.0

    def release(self) -> None:
        """Release the dead-man switch at once."""
        self._held_until_ns = 0
        self._moves.clear()

    def state(self, now_ns: int) -> KeyboardState:
        """Return what is asked for at an instant."""
        motion = np.zeros(len(TWIST_COMPONENTS))
        dead_man = now_ns < self._held_until_ns
        for component, (direction, until_ns) in self._moves.items():
            if dead_man and now_ns < until_ns:
                motion[TWIST_COMPONENTS.index(component)] = direction * self.speed
        pressed = frozenset(name for name, until_ns in self._buttons.items() if now_ns < until_ns)
        return KeyboardState(motion, dead_man, pressed)

    def key_map(self) -> list[str]:
        """Return lines that say which key does what."""
        moves = [f"{key}: {component}{'+' if sign > 0 else '-'}" for key, (component, sign) in _letters(self)]
        buttons = [f"{key}: {button.replace('_', ' ')}" for key, button in self.button_keys.items()]
        return [
            "hold a key of these to drive, release it to stop: " + "  ".join(moves),
            "arrow keys and page up/down move too; space only holds; 1 to 9: speed",
            "  ".join([*buttons, f"{QUIT_KEYS[0]}: quit"]),
        ]


def _letters(keyboard: Keyboard) -> list[tuple[str, tuple[str, int]]]:
    return [(key, move) for key, move in keyboard.motion_keys.items() if len(key) == 1]
