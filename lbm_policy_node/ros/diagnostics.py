# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Report a node's health on /diagnostics, once a second and at once when the level changes."""

from collections.abc import Callable
from typing import Final

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from lbm_policy_node.core.health import Health

from . import qos, topics

PERIOD_S: Final = 1.0


class Diagnostics:
    """Publishes a ``Health`` under the node's name. Call ``update`` from the node's executor thread only."""

    def __init__(self, node: Node, health: Callable[[], Health], *, hardware_id: str) -> None:
        """Start the periodic report; ``health`` is called each time."""
        self._node, self._health, self._hardware_id = node, health, hardware_id
        self._publisher = node.create_publisher(DiagnosticArray, topics.DIAGNOSTICS, qos.DIAGNOSTICS)
        self._timer = node.create_timer(PERIOD_S, self.publish)
        self._last_level: bytes | None = None

    def update(self) -> None:
        """Publish now if the level has changed since the last report."""
        if self._health().level != self._last_level:
            self.publish()

    def publish(self) -> None:
        """Publish the present health."""
        health = self._health()
        self._last_level = health.level
        status = DiagnosticStatus(
            level=health.level,
            name=f"{self._node.get_fully_qualified_name()}",
            message=health.message,
            hardware_id=self._hardware_id,
            values=[KeyValue(key=key, value=str(value)) for key, value in health.values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def destroy(self) -> None:
        """Stop reporting."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)
