# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A script in a thread of its own beside a node: it waits for what callbacks report and never spins."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from rclpy.task import Future

Value = TypeVar("Value")


class Stopped(Exception):
    """The node is shutting down."""


class Waiter:
    """Callbacks call ``notify`` after each change; the script's thread waits for conditions."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped = False

    def notify(self) -> None:
        """Look at the conditions again; from any thread."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Make every present and later wait raise ``Stopped``; from any thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def until(self, condition: Callable[[], Value], what: str, *, timeout_s: float) -> Value:
        """Wait until a condition is true and return its value.

        Raises:
            TimeoutError: It did not become true in time; names what was waited for.
            Stopped: The node is shutting down.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not (value := condition()):
                remaining_s = deadline - time.monotonic()
                if self._stopped:
                    raise Stopped
                if remaining_s <= 0.0:
                    raise TimeoutError(f"no {what} within {timeout_s:g} s")
                self._changed.wait(min(remaining_s, 0.5))  # some conditions (discovery) have no callback
        return value

    def result(self, future: Future, what: str, timeout_s: float) -> Any:
        """Wait for a future of rclpy and return its result."""
        future.add_done_callback(lambda _future: self.notify())
        self.until(future.done, what, timeout_s=timeout_s)
        return future.result()
