# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node takes from interventions and outcomes, and what it publishes on `episode_events`."""

from collections.abc import Callable

from lbm_msgs.msg import ControlState, EpisodeEvent
from rclpy.node import Node

from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.running.goal import GoalHandler, Termination

from .. import qos, topics
from ..episode_events import EpisodeEvents

RESTARTS = (EpisodeEvent.TAKEOVER, EpisodeEvent.HANDBACK, EpisodeEvent.RESUMED)
"""After these events the history is useless to the policy: it did not move the robot itself."""

ENDINGS = {
    EpisodeEvent.SUCCESS: Termination.SUCCEEDED,
    EpisodeEvent.FAILURE: Termination.FAILED,
    EpisodeEvent.DISCARDED: Termination.CANCELED,
}


class PolicyEvents:
    """A takeover restarts the history and pauses the goal's time; an outcome ends the goal."""

    def __init__(self, node: Node, goals: GoalHandler, restart_history: Callable[[int], None]) -> None:
        """Connect; ``restart_history`` is called on takeover, hand-back and resume with their time, ns."""
        self._node, self._goals, self._restart_history = node, goals, restart_history
        self._events = EpisodeEvents(node)
        self._succeeded = 0
        self._subscriptions = [
            node.create_subscription(EpisodeEvent, topics.EPISODE_EVENTS, self._on_event, qos.EPISODE_EVENT),
            node.create_subscription(
                ControlState, topics.CONTROL_STATE, self._on_control, qos.NEWEST_CONTROL
            ),
        ]

    def publish_instruction(self) -> None:
        """Publish the instruction that is in force from now on."""
        if self._goals.run is not None:
            self._events.publish(
                EpisodeEvent.INSTRUCTION_CHANGED,
                source=self._node.get_name(),
                instruction=self._goals.run.instruction,
            )

    def publish_success(self, source: str) -> None:
        """Publish that the run succeeded, once per run; the event ends it and reaches the recorder, too."""
        run = self._goals.run
        if run is not None and run.number != self._succeeded:
            self._succeeded = run.number
            self._events.publish(EpisodeEvent.SUCCESS, source=source)

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
        if message.event in RESTARTS:
            self._restart_history(min(to_ns(message.header.stamp), now_ns))
        elif message.event in ENDINGS:
            self._goals.end(ENDINGS[message.event], now_ns)
