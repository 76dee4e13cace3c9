# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Notice by wall time that simulated time has not begun: timers on the ROS clock stand still."""

from collections.abc import Callable
from typing import Final

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

PERIOD_S: Final = 1.0
NO_CLOCK: Final = "use_sim_time is set and nothing has arrived on /clock"


class ClockWatch:
    """Warns once per PERIOD_S until the ROS clock runs."""

    def __init__(self, node: Node, on_missing: Callable[[], None]) -> None:
        """Begin to look; ``on_missing`` is called with each warning."""
        self._node, self._on_missing = node, on_missing
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(PERIOD_S, self._look, clock=steady)

    @property
    def missing(self) -> bool:
        """Whether time has not begun."""
        return self._node.get_clock().now().nanoseconds == 0

    def _look(self) -> None:
        if not self.missing:
            self._timer.cancel()
            return
        self._node.get_logger().warning(NO_CLOCK)
        self._on_missing()
