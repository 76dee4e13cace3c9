# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node learns of a person's turns and of outcomes, and what it tells on `episode_events`."""

from collections.abc import Callable

from lbm_msgs.msg import ControlState, EpisodeEvent
from rclpy.node import Node

from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.running.goal import GoalHandler, Termination

from .. import qos, topics
from ..episode_events import EpisodeEvents

BEGIN_ANEW = (EpisodeEvent.TAKEOVER, EpisodeEvent.HANDBACK, EpisodeEvent.RESUMED)
"""After these somebody else has moved the robot, so that the policy's history says nothing of its own."""

ENDINGS = {
    EpisodeEvent.SUCCESS: Termination.SUCCEEDED,
    EpisodeEvent.FAILURE: Termination.FAILED,
    EpisodeEvent.DISCARDED: Termination.CANCELED,
}


class PolicyEvents:
    """A takeover begins the history anew, stops a goal's time and leaves it as it is; an outcome ends it."""

    def __init__(self, node: Node, goals: GoalHandler, begin_anew: Callable[[int], None]) -> None:
        """Connect; ``begin_anew`` is called on takeover, hand-back and resume with their time, ns."""
        self._node, self._goals, self._begin_anew = node, goals, begin_anew
        self._events = EpisodeEvents(node)
        self._subscriptions = [
            node.create_subscription(EpisodeEvent, topics.EPISODE_EVENTS, self._on_event, qos.EPISODE_EVENT),
            node.create_subscription(
                ControlState, topics.CONTROL_STATE, self._on_control, qos.NEWEST_CONTROL
            ),
        ]

    def tell_instruction(self) -> None:
        """Publish the instruction that is in force from now on."""
        if self._goals.run is not None:
            self._events.publish(
                EpisodeEvent.INSTRUCTION_CHANGED,
                source=self._node.get_name(),
                instruction=self._goals.run.instruction,
            )

    def destroy(self) -> None:
        """Disconnect."""
        self._events.destroy()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds

    def _on_control(self, message: ControlState) -> None:
        stamp_ns = min(to_ns(message.header.stamp), self._now_ns())
        self._goals.on_control(message.mode, message.reason.code, stamp_ns)

    def _on_event(self, message: EpisodeEvent) -> None:
        now_ns = self._now_ns()
        if message.event in BEGIN_ANEW:
            self._begin_anew(min(to_ns(message.header.stamp), now_ns))
        elif message.event in ENDINGS:
            self._goals.end(ENDINGS[message.event], now_ns)
