# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Hear an event, such as an emergency stop, from every kind of publisher."""

from collections.abc import Callable
from typing import Any, Final

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from . import qos
from .qos_events import look_seldom

LOOK_PERIOD_S: Final = 0.5
"""How often the publishers are looked at, by wall time."""


class EventInput:
    """A best-effort subscription, which matches every publisher, and others for those that offer more.

    A reliable publisher is also heard reliably, and a latched one with what it published before this node
    started. These subscriptions are made when such a publisher is seen, because each of them does not match
    the weaker publishers, and then both sides log that no messages will be sent. A message may thus arrive
    more than once: the callback must not count. All calls belong to the node's executor thread.
    """

    def __init__(self, node: Node, message_type: Any, topic: str, callback: Callable[[Any], None]) -> None:
        """Subscribe."""
        self._node, self._type, self._topic, self._callback = node, message_type, topic, callback
        self._subscriptions = {0: node.create_subscription(message_type, topic, callback, qos.ANY_EVENT)}
        self._look()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(LOOK_PERIOD_S, self._look, clock=steady)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)

    def _look(self) -> None:
        name = self._subscriptions[0].topic_name
        offers = [_strength(info.qos_profile) for info in self._node.get_publishers_info_by_topic(name)]
        for strength in sorted(set(offers) - set(self._subscriptions)):
            self._subscriptions[strength] = self._node.create_subscription(
                self._type,
                self._topic,
                self._callback,
                (qos.ANY_EVENT, qos.EVENT, qos.STATUS)[strength],
                event_callbacks=qos.NO_MISMATCH_WARNING,
            )
            look_seldom(self._node)


def _strength(offer: QoSProfile) -> int:
    """Return 0 for best effort, 1 for reliable, 2 for reliable and latched."""
    if offer.reliability != QoSReliabilityPolicy.RELIABLE:
        return 0
    return 2 if offer.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL else 1
