# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot on real topics whose clock moves only when a test says so."""

from array import array
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray

from helpers.fake_spec import SIZE, SPEC  # noqa: F401  # the spec that this robot follows
from lbm_policy_node.ros import conversion, qos

TICK_NS = 12_500_000
TICKS_PER_STEP = 4
START_NS = 100_000_000_000


class FakeRobot(Node):
    """Publishes what SPEC names and follows its targets at once.

    ``change[stream]`` is called with each message of a stream before it is published and returns the message,
    or None to publish nothing: a test breaks the input there.
    """

    def __init__(self) -> None:
        """Create the topics; nothing is published before ``tick``."""
        super().__init__("fake_robot")
        self.now_ns = START_NS
        self.ticks = 0
        self.position = [0.0, 0.0, 0.2]
        self.change: dict[str, Callable[[Any], Any]] = {}
        self.targets: list[PoseStamped] = []
        self.gripper_commands: list[float] = []
        self._clock_publisher = self.create_publisher(Clock, "/clock", qos.EVENT)
        self._publishers_of = {
            "front": self.create_publisher(Image, "/front", qos.CAMERA),
            "wrist": self.create_publisher(Image, "/wrist", qos.CAMERA),
            "joints": self.create_publisher(JointState, "/joint_states", qos.PROPRIO),
            "ee_pose": self.create_publisher(PoseStamped, "/ee_pose", qos.PROPRIO),
        }
        self.create_subscription(PoseStamped, "/target_pose", self._on_target, qos.COMMAND)
        self.create_subscription(Float64MultiArray, "/gripper", self._on_gripper, qos.COMMAND)

    def is_seen(self) -> bool:
        """Whether somebody subscribes to each stream."""
        return all(publisher.get_subscription_count() for publisher in self._publishers_of.values())

    def tick(self) -> None:
        """Advance the clock by one control tick and publish what is due; images once per step."""
        self.now_ns += TICK_NS
        self.ticks += 1
        self.repeat()

    def repeat(self) -> None:
        """Publish what this tick publishes, again: other processes may have lost a message."""
        self._clock_publisher.publish(Clock(clock=conversion.to_stamp(self.now_ns)))
        self._publish("joints", self._joints())
        self._publish("ee_pose", self._pose())
        if self.ticks % TICKS_PER_STEP == 0:
            self._publish("front", self._image())
            self._publish("wrist", self._image())

    def _publish(self, stream: str, message: Any) -> None:
        message.header.stamp = conversion.to_stamp(self.now_ns)
        changed = self.change.get(stream, lambda same: same)(message)
        if changed is not None:
            self._publishers_of[stream].publish(changed)

    def _image(self) -> Image:
        pixels = array("B", bytes([self.ticks % 256]) * (SIZE * SIZE * 3))
        return Image(height=SIZE, width=SIZE, step=SIZE * 3, encoding="rgb8", data=pixels)

    def _joints(self) -> JointState:
        return JointState(name=["other", "gripper_opening"], position=[9.0, 0.5])

    def _pose(self) -> PoseStamped:
        pose = PoseStamped()
        pose.header.frame_id = "base"
        pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = self.position
        pose.pose.orientation.w = 1.0
        return pose

    def _on_target(self, target: PoseStamped) -> None:
        self.targets.append(target)
        point = target.pose.position
        self.position = [point.x, point.y, point.z]

    def _on_gripper(self, command: Float64MultiArray) -> None:
        self.gripper_commands.append(command.data[0])
