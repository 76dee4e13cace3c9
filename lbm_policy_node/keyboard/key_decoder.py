# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Turns the bytes that a terminal sends into names of keys."""

from typing import Final

_ESCAPE: Final = 0x1B
_SEQUENCES: Final = {
    b"A": "up",
    b"B": "down",
    b"C": "right",
    b"D": "left",
    b"5~": "page_up",
    b"6~": "page_down",
}
_NAMED: Final = {
    0x20: "space",
    0x7F: "backspace",
    0x08: "backspace",
    0x0A: "enter",
    0x0D: "enter",
    0x04: "end_of_input",
}
_LONGEST: Final = 16


class KeyDecoder:
    """Decodes a stream of bytes, wherever it is cut; what it does not know yields nothing."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[str]:
        """Return the keys that are complete: letters as lower case, digits, signs, and names such as "up"."""
        keys: list[str] = []
        self._pending += data
        while self._pending:
            taken, key = _first(self._pending)
            if taken == 0:
                break
            self._pending = self._pending[taken:]
            if key:
                keys.append(key)
        return keys


def _first(data: bytes) -> tuple[int, str]:
    """Return how many bytes the first key takes (0: it is not complete), and its name (empty: unknown)."""
    if data[0] == _ESCAPE:
        return _sequence(data)
    if data[0] in _NAMED:
        return 1, _NAMED[data[0]]
    return 1, chr(data[0]).lower() if 0x20 < data[0] < 0x7F else ""


def _sequence(data: bytes) -> tuple[int, str]:
    """Read ESC [ parameters final, or ESC O final; the escape key by itself is dropped."""
    if len(data) == 1:
        return 0, ""
    if data[1:2] not in (b"[", b"O"):
        return 1, ""
    for end in range(2, min(len(data), _LONGEST)):
        if not 0x20 <= data[end] < 0x7F:  # no part of a sequence: start over there
            return end, ""
        if data[end] >= 0x40:
            return end + 1, _SEQUENCES.get(data[2 : end + 1], "")
    return (_LONGEST, "") if len(data) >= _LONGEST else (0, "")
