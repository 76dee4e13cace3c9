# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Publish PolicyStatus on every change and once a second, and the same as feedback of the action."""

from collections.abc import Callable

from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import PolicyStatus
from rclpy.duration import Duration
from rclpy.node import Node

from lbm_policy_node.running.report import PolicyReport

from . import conversion, qos, topics

PERIOD_S = 1.0
FLUSH_S = 0.5


class StatusPublisher:
    """Latched, so that a late subscriber learns the present state; belongs to the executor thread."""

    def __init__(
        self, node: Node, report: Callable[[], PolicyReport], feedback: Callable[[RunPolicy.Feedback], None]
    ) -> None:
        """Start the periodic status; ``feedback`` takes what a running action's client should see."""
        self._node, self._report, self._feedback = node, report, feedback
        self._publisher = node.create_publisher(PolicyStatus, topics.POLICY_STATUS, qos.STATUS)
        self._timer = node.create_timer(PERIOD_S, self.publish)
        self._last: object = None

    def update(self) -> None:
        """Publish if state, reason or run has changed."""
        if self._key(self._report()) != self._last:
            self.publish()

    def publish(self) -> None:
        """Publish now."""
        report, now_ns = self._report(), self._node.get_clock().now().nanoseconds
        self._last = self._key(report)
        self._publisher.publish(conversion.policy_status_message(report, now_ns=now_ns))
        if report.run is not None:
            self._feedback(conversion.feedback_message(report, now_ns=now_ns))

    def flush(self) -> None:
        """Wait, not long, until the last status has arrived: the node may be about to go."""
        self._publisher.wait_for_all_acked(Duration(seconds=FLUSH_S))

    def _key(self, report: PolicyReport) -> object:
        run = report.run
        return report.state, report.reason.code, run and (run.number, run.instruction)
