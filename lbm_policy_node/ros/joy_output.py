# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishes as a gamepad's driver does, for what stands in for a gamepad."""

from array import array

from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import Joy

from lbm_policy_node.core.spec.robot_spec import RobotSpec, SpecError
from lbm_policy_node.core.takeover.joystick import JoyState, Joystick, joy_source

from . import qos
from .conversion import to_stamp
from .parameters import ParameterError
from .status_publisher import FLUSH_S


class JoyOutput:
    """One source's Joy topic, stamped with the node's clock."""

    def __init__(self, node: Node, joystick: Joystick) -> None:
        """Offer the topic reliably, as joy_node does, so that it matches whoever subscribes."""
        self._node = node
        self._publisher = node.create_publisher(Joy, joystick.source.topic, qos.EVENT)

    def publish(self, state: JoyState) -> None:
        """Publish one state; nothing while the clock has not begun."""
        now_ns = self._node.get_clock().now().nanoseconds
        if now_ns == 0:
            return
        message = Joy(axes=array("f", state.axes), buttons=array("i", state.buttons))
        message.header.stamp = to_stamp(now_ns)
        self._publisher.publish(message)

    def flush(self) -> None:
        """Wait a moment until whoever subscribes reliably has the last state, before the process ends."""
        self._publisher.wait_for_all_acked(Duration(seconds=FLUSH_S))


def load_joystick(robot: str, source: str) -> tuple[RobotSpec, Joystick]:
    """Return a robot and the gamepad of its Joy source of that name, or of the first one.

    Raises:
        ParameterError: The spec cannot be read, or has no such source.
    """
    try:
        spec = RobotSpec.load(robot)
        return spec, Joystick(joy_source(spec, source))
    except (SpecError, OSError, ValueError) as error:
        raise ParameterError(f"parameters robot '{robot}' and source '{source}': {error}") from error
