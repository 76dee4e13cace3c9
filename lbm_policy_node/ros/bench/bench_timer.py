# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Bare rclpy, for comparison: a timer at the control rate that publishes its stamp and does nothing else."""

from lbm_msgs.msg import ControlState
from rclpy.node import Node

from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.process import run

RATE_HZ = 100.0


class BareTimer(Node):
    """Ticks."""

    def __init__(self) -> None:
        super().__init__("bench_timer")
        self._states = self.create_publisher(ControlState, topics.BARE_CONTROL_STATE, qos.CONTROL_STATE)
        self._message = ControlState()
        self.create_timer(1.0 / RATE_HZ, self._tick)

    def _tick(self) -> None:
        self._message.header.stamp = self.get_clock().now().to_msg()
        self._states.publish(self._message)


if __name__ == "__main__":
    raise SystemExit(run(BareTimer))
