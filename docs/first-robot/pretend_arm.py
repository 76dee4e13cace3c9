# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays the topics of an arm with six joints, a gripper and a camera, and obeys the commands.

It is for docs/first-robot.md: it stands for your robot's own drivers and controllers.
"""

import argparse
from array import array

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

JOINTS = [f"joint_{i}" for i in range(1, 7)]
HEIGHT, WIDTH = 120, 160
JOINT_RATE_HZ, CAMERA_RATE_HZ = 100.0, 20.0


class PretendArm(Node):
    """Six joints (rad), one finger (m) and one grey camera; each command is reached at once."""

    def __init__(self, finger: str) -> None:
        """Create the topics.

        Args:
            finger: Name of the gripper's joint in /joint_states.
        """
        super().__init__("pretend_arm")
        self._names = [*JOINTS, finger]
        self._commands = 0
        self._position = [0.0, 0.3, -0.6, 0.0, 0.4, 0.0, 0.04]
        self._joint_states = self.create_publisher(JointState, "/joint_states", 10)
        self._camera = self.create_publisher(Image, "/front/image_raw", 1)
        self.create_subscription(JointTrajectory, "/arm_controller/joint_trajectory", self._on_arm, 10)
        self.create_subscription(Float64MultiArray, "/gripper_controller/commands", self._on_gripper, 10)
        self.create_timer(1.0 / JOINT_RATE_HZ, self._publish_joints)
        self.create_timer(1.0 / CAMERA_RATE_HZ, self._publish_image)

    def _publish_joints(self) -> None:
        message = JointState(name=self._names, position=self._position)
        message.header.stamp = self.get_clock().now().to_msg()
        self._joint_states.publish(message)

    def _publish_image(self) -> None:
        pixels = array("B", bytes([128]) * (HEIGHT * WIDTH * 3))
        message = Image(height=HEIGHT, width=WIDTH, step=3 * WIDTH, encoding="rgb8", data=pixels)
        message.header.stamp = self.get_clock().now().to_msg()
        self._camera.publish(message)

    def _on_arm(self, command: JointTrajectory) -> None:
        if not self._commands:
            print("the first command has arrived", flush=True)
        self._commands += 1
        for name, value in zip(command.joint_names, command.points[-1].positions, strict=True):
            self._position[JOINTS.index(name)] = value

    def _on_gripper(self, command: Float64MultiArray) -> None:
        self._position[-1] = command.data[0]


def main() -> None:
    """Publish until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finger", default="finger", help="name of the gripper's joint")
    arguments = parser.parse_args()
    rclpy.init()
    try:
        rclpy.spin(PretendArm(arguments.finger))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
