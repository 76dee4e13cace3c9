# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes sure that a graph is in shadow mode and has no robot, before and while a bag plays its part."""

from collections.abc import Callable, Iterable

from lbm_msgs.msg import ControlState
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from .. import qos, topics

STATE_TYPE = "lbm_msgs/msg/ControlState"
PARAMETER = "enable_control"


class ShadowGuard:
    """Watches every executor of the ROS domain, in whatever namespace. All calls belong to one thread.

    Attributes:
        cleared: Whether each executor that is there has said that it is in shadow mode.
    """

    def __init__(self, node: Node, topics: Iterable[str], on_refusal: Callable[[str], None]) -> None:
        """Watch.

        Args:
            node: The player.
            topics: What it publishes, the clock included: no other node may.
            on_refusal: Called with the reason as soon as the bag must not play.
        """
        self._node, self._topics, self._refuse = node, tuple(topics), on_refusal
        self._clients: dict[str, Client] = {}
        self._in_shadow: set[str] = set()
        self._subscriptions: dict[str, object] = {}
        self.cleared = False

    def look(self) -> None:
        """Look at the graph; call this again and again."""
        for topic in self._topics:
            if others := self._publishers(topic):
                self._refuse(
                    f"{topic} is published by {', '.join(sorted(others))}: a bag must not mix with a robot "
                    "or a simulator; stop it, or use another ROS_DOMAIN_ID"
                )
        states = [n for n, kinds in self._node.get_topic_names_and_types() if STATE_TYPE in kinds]
        executors = {name for topic in states for name in self._publishers(topic)}
        for topic in states:
            self._watch(topic)
        for name in executors - set(self._clients):
            self._ask(name)
        self.cleared = executors <= self._in_shadow

    def pending(self) -> list[str]:
        """Executors that have not answered."""
        return sorted(set(self._clients) - self._in_shadow)

    def _publishers(self, topic: str) -> set[str]:
        """Full names of the other nodes that publish a topic."""
        own = self._node.get_fully_qualified_name()
        found = self._node.get_publishers_info_by_topic(topic)
        return {f"{e.node_namespace.rstrip('/')}/{e.node_name}" for e in found} - {own}

    def _watch(self, topic: str) -> None:
        if topic not in self._subscriptions:
            subscribe = self._node.create_subscription
            self._subscriptions[topic] = subscribe(ControlState, topic, self._on_state, qos.CONTROL_STATE)

    def _ask(self, name: str) -> None:
        client = self._node.create_client(GetParameters, topics.below(name, topics.GET_PARAMETERS))
        self._clients[name] = client
        future = client.call_async(GetParameters.Request(names=[PARAMETER]))
        future.add_done_callback(lambda answer: self._on_answer(name, answer))

    def _on_answer(self, name: str, answer: Future) -> None:
        result = answer.result()
        values = result.values if result is not None else []
        if not values or values[0].type != ParameterType.PARAMETER_BOOL:
            self._refuse(f"{name} publishes ControlState, but does not say whether it commands a robot")
        elif values[0].bool_value:
            self._refuse(f"{PARAMETER} of {name} is true: it would move the robot to what a bag shows")
        else:
            self._in_shadow.add(name)

    def _on_state(self, message: ControlState) -> None:
        if message.control_enabled:
            self._refuse("an executor commands its robot (ControlState.control_enabled)")
