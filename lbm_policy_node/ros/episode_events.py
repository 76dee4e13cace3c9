# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishes stamped facts on `episode_events`, for every node that has one."""

from lbm_msgs.msg import EpisodeEvent
from rclpy.node import Node

from . import conversion, qos, topics


class EpisodeEvents:
    """Publishes facts; which episode they belong to is known to the recorder only."""

    def __init__(self, node: Node) -> None:
        """Create the publisher."""
        self._node = node
        self._publisher = node.create_publisher(EpisodeEvent, topics.EPISODE_EVENTS, qos.EPISODE_EVENT)

    def publish(
        self, event: int, *, source: str, text: str = "", instruction: str = "", now_ns: int | None = None
    ) -> None:
        """Publish a fact.

        Args:
            event: A constant of EpisodeEvent.
            source: Who says so.
            text: Free text.
            instruction: The one in force; empty where the sender does not know it.
            now_ns: When it happened; None for now.
        """
        if now_ns is None:
            now_ns = self._node.get_clock().now().nanoseconds
        message = EpisodeEvent(event=event, source=source, text=text, instruction=instruction)
        message.header.stamp = conversion.to_stamp(now_ns)
        self._publisher.publish(message)

    def destroy(self) -> None:
        """Remove the publisher."""
        self._node.destroy_publisher(self._publisher)
