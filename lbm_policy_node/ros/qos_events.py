# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Let a node's executor look for mismatched topics once a second, not each time it waits for a message.

rclpy makes a new wait set several times per control tick. Each publisher and each subscription puts two
events into it besides itself, "incompatible QoS" and "incompatible type", whose Python code took a third of
the chunk executor's processor time. The middleware keeps an event until it is taken, so the warning
comes all the same.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

PERIOD_S: Final = 1.0
OPEN_S: Final = 0.01
"""Long enough for the executor to wait once and to execute what is ready."""


class Seldom(CallbackGroup):
    """Entities that are waited for during the first moments of each period only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start open; ``clock`` returns seconds and never goes back."""
        super().__init__()
        self._clock = clock
        self._opened_s = clock()

    def can_execute(self, entity: Any) -> bool:
        """Return whether it is time; asked before a wait set is made and before something is executed."""
        now_s = self._clock()
        if now_s - self._opened_s >= PERIOD_S:
            self._opened_s = now_s
        return now_s - self._opened_s < OPEN_S

    def beginning_execution(self, entity: Any) -> bool:
        """Let what was found ready be executed."""
        return True

    def ending_execution(self, entity: Any) -> None:
        """Nothing was locked."""


def look_seldom(node: Node) -> None:
    """Move the QoS events of all present publishers and subscriptions into such a group."""
    seldom = Seldom()
    endpoints: list[Any] = [*node.publishers, *node.subscriptions]
    for endpoint in endpoints:
        for event in endpoint.event_handlers:
            event.callback_group = seldom
            seldom.add_entity(event)
