# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot's sensors as ROS messages, stamped with simulation time."""

from array import array

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool, Float64MultiArray, String

from lbm_policy_node.core.types import Array, ImageArray
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.conversion import to_float_array, to_stamp
from lbm_policy_node.sim.robot import SimulatedRobot
from lbm_policy_node.sim.sensing import GRIPPER_JOINT

CAMERAS = ("front", "wrist")
_CLOCK = qos.PROPRIO  # best effort, as every time source subscribes


class ImageMessage:
    """One rgb8 message whose buffer is written in place; rclpy takes only an ``array.array`` quickly."""

    def __init__(self, *, height: int, width: int, frame_id: str) -> None:
        self.message = Image(height=height, width=width, encoding="rgb8", step=width * 3)
        self.message.header.frame_id = frame_id
        self.message.data = array("B", bytes(height * width * 3))
        held = self.message.data  # the message may have copied: write into what it holds
        self._pixels = np.frombuffer(held, np.uint8).reshape(height, width, 3)

    def fill(self, image: ImageArray, stamp: Time) -> Image:
        """Write pixels, uint8 RGB (height, width, 3), and stamp; the same message is returned each time."""
        self._pixels[...] = image
        self.message.header.stamp = stamp
        return self.message


class SimulatedSensors:
    """Publishes /clock and what the robot senses. Call from the node's executor thread."""

    def __init__(
        self, node: Node, *, height: int, width: int, base_frame: str, privileged: bool = False
    ) -> None:
        """Offer the topics; with `privileged` also Meta-World's full state, which no policy may see."""
        self._clock = node.create_publisher(Clock, topics.CLOCK, _CLOCK)
        self._joints = node.create_publisher(JointState, topics.SIM_JOINT_STATES, qos.PROPRIO)
        self._pose = node.create_publisher(PoseStamped, topics.SIM_EE_POSE, qos.PROPRIO)
        self._success = node.create_publisher(Bool, topics.SIM_SUCCESS, qos.EVENT)
        self._task = node.create_publisher(String, topics.SIM_TASK, qos.STATUS)
        self._privileged = (
            node.create_publisher(Float64MultiArray, topics.SIM_PRIVILEGED, qos.PROPRIO)
            if privileged
            else None
        )
        self._cameras = {
            name: (
                node.create_publisher(Image, topics.sim_camera(name), qos.CAMERA),
                ImageMessage(height=height, width=width, frame_id=f"camera_{name}"),
            )
            for name in CAMERAS
        }
        self._base_frame = base_frame

    def publish_task(self, robot: SimulatedRobot) -> None:
        """Say that a scene of the robot's task has just been laid out."""
        self._task.publish(String(data=robot.task.name))

    def publish(self, robot: SimulatedRobot, stamp_ns: int, *, with_images: bool) -> None:
        """Publish one instant; /clock first, so that no stamp lies in the future of its receiver."""
        stamp = to_stamp(stamp_ns)
        self._clock.publish(Clock(clock=stamp))
        position, opening = robot.reported_proprio()
        self._joints.publish(_joint_state(robot, opening, stamp))
        self._pose.publish(_pose(robot, position, stamp, self._base_frame))
        self._success.publish(Bool(data=robot.success))
        if self._privileged:
            self._privileged.publish(Float64MultiArray(data=to_float_array(robot.privileged_observation)))
        if with_images:
            for name, image in robot.images().items():
                publisher, message = self._cameras[name]
                publisher.publish(message.fill(image, stamp))


def _joint_state(robot: SimulatedRobot, opening: float, stamp: Time) -> JointState:
    names, positions, _velocities = robot.arm_joints  # positions only: the opening has no measured rate
    message = JointState(name=[*names, GRIPPER_JOINT])
    message.header.stamp = stamp
    message.position = array("d", [*positions, opening])
    return message


def _pose(robot: SimulatedRobot, reported: Array, stamp: Time, base_frame: str) -> PoseStamped:
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, base_frame
    position, orientation = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = map(float, reported)
    orientation.x, orientation.y, orientation.z, orientation.w = map(float, robot.orientation_xyzw)
    return message
