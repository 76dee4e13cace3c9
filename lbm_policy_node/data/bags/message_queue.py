# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A bounded queue of serialised messages between the callbacks of a node and the thread that writes."""

import threading
from collections import Counter, deque
from typing import NamedTuple


class RawMessage(NamedTuple):
    """A message as it came.

    Attributes:
        topic: Where it was published.
        log_ns: ROS time of its arrival.
        data: CDR bytes.
    """

    topic: str
    log_ns: int
    data: bytes


class MessageQueue:
    """Bounded in bytes and in messages; any thread may call anything.

    What does not fit is dropped and counted: a slow disk must not make the node eat the robot's memory.
    """

    def __init__(self, *, max_bytes: int, max_messages: int) -> None:
        """Begin empty."""
        self._max_bytes, self._max_messages = max_bytes, max_messages
        self._messages: deque[RawMessage] = deque()
        self._n_bytes = 0
        self._lock = threading.Lock()
        self._dropped: Counter[str] = Counter()

    def put(self, message: RawMessage) -> bool:
        """Append a message; False when it was dropped because the queue is full."""
        with self._lock:
            n_bytes = self._n_bytes + len(message.data)
            if n_bytes > self._max_bytes or len(self._messages) >= self._max_messages:
                self._dropped[message.topic] += 1
                return False
            self._messages.append(message)
            self._n_bytes = n_bytes
            return True

    def pop(self) -> RawMessage | None:
        """Return the oldest message, or None."""
        with self._lock:
            if not self._messages:
                return None
            message = self._messages.popleft()
            self._n_bytes -= len(message.data)
            return message

    def clear(self) -> None:
        """Forget the messages."""
        with self._lock:
            self._messages.clear()
            self._n_bytes = 0

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages of which topic did not fit."""
        with self._lock:
            return dict(self._dropped)

    @property
    def share(self) -> float:
        """How full it is, 0 to 1, by the tighter bound."""
        with self._lock:
            return max(self._n_bytes / self._max_bytes, len(self._messages) / self._max_messages)
