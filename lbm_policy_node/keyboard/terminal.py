# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads single keys from a terminal and writes a status line; leaves the terminal as it was."""

from __future__ import annotations

import os
import select
import shutil
import sys
import termios
from types import TracebackType
from typing import Final

_CLEAR_LINE: Final = "\r\x1b[K"
_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6  # places in what termios.tcgetattr returns
_READ_BYTES: Final = 1024


class TerminalLostError(Exception):
    """The terminal was closed."""


class KeyTerminal:
    """A terminal without line editing and echo, from entering to leaving. Ctrl-C works, Ctrl-Z does not.

    A suspended teleop would leave the robot paused and the terminal unusable, so the key is off.
    """

    def __init__(self) -> None:
        """Use standard input and output.

        Raises:
            ValueError: Standard input is no terminal.
        """
        self._input, self._output = sys.stdin.fileno(), sys.stdout
        if not os.isatty(self._input):
            raise ValueError(
                "standard input is no terminal, so there are no keys to read; start this in a terminal of "
                "its own, without a pipe (with ssh or docker: option -t)"
            )
        self._saved = termios.tcgetattr(self._input)
        self._lost = False

    def __enter__(self) -> KeyTerminal:
        settings = termios.tcgetattr(self._input)
        settings[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
        characters = list(settings[_CONTROL_CHARACTERS])
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        characters[termios.VSUSP] = b"\0"  # disabled, POSIX
        settings[_CONTROL_CHARACTERS] = characters
        termios.tcsetattr(self._input, termios.TCSADRAIN, settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lost:
            return
        termios.tcsetattr(self._input, termios.TCSAFLUSH, self._saved)  # no key is left for the shell
        self._output.write("\n")
        self._output.flush()

    def read(self) -> bytes:
        """Return what has been typed since the last call, without waiting.

        Raises:
            TerminalLostError: The terminal was closed.
        """
        try:
            if not select.select([self._input], [], [], 0.0)[0]:
                return b""
            data = os.read(self._input, _READ_BYTES)
        except OSError as error:
            raise self._lose(error) from error
        if not data:
            raise self._lose("end of input")
        return data

    def status(self, text: str) -> None:
        """Show a line in the place of the one before, cut to the width of the terminal.

        Raises:
            TerminalLostError: The terminal was closed.
        """
        width = shutil.get_terminal_size().columns
        try:
            self._output.write(_CLEAR_LINE + text[: max(width - 1, 1)])
            self._output.flush()
        except OSError as error:
            raise self._lose(error) from error

    def _lose(self, why: object) -> TerminalLostError:
        self._lost = True
        return TerminalLostError(f"the terminal was closed: {why}")
