# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The last moments before an episode: the first chunk is computed from what arrived before it began."""

from collections import deque

from lbm_policy_node.data.bags.message_queue import RawMessage


class PreRoll:
    """Keeps the newest messages of a bounded time and size. Not thread-safe."""

    def __init__(self, *, length_ns: int, max_bytes: int) -> None:
        """Begin empty.

        Args:
            length_ns: How long a message is kept, ROS time; 0 keeps nothing.
            max_bytes: Payload that is kept at most; the oldest goes first.
        """
        self._length_ns, self._max_bytes = length_ns, max_bytes
        self._messages: deque[RawMessage] = deque()
        self._n_bytes = 0

    def push(self, message: RawMessage) -> None:
        """Add a message; when the clock went back, what came before is of another time and forgotten."""
        if self._messages and message.log_ns < self._messages[-1].log_ns:
            self._messages.clear()
            self._n_bytes = 0
        self._messages.append(message)
        self._n_bytes += len(message.data)
        self._forget(message.log_ns)

    def messages(self, now_ns: int) -> list[RawMessage]:
        """Return what arrived within the time before now, oldest first."""
        first_ns = now_ns - self._length_ns
        return [message for message in self._messages if first_ns < message.log_ns <= now_ns]

    def _forget(self, now_ns: int) -> None:
        while self._messages and (
            self._messages[0].log_ns <= now_ns - self._length_ns or self._n_bytes > self._max_bytes
        ):
            self._n_bytes -= len(self._messages.popleft().data)
