# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the benchmark's processes send each other: a robot's observation, and chunks that hold still."""

import json
from typing import Any, Final

import numpy as np
from geometry_msgs.msg import PoseStamped
from lbm_msgs.msg import ActionChunk
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState

from lbm_policy_node.core.types import ActionChunk as Chunk
from lbm_policy_node.core.types import no_samples
from lbm_policy_node.ros import conversion, qos, topics
from lbm_policy_node.ros.sim.sim_sensors import ImageMessage

PREFIX: Final = "@bench "
POSITION: Final = (0.0, 0.6, 0.2)
CAMERAS: Final = ("front", "wrist")
TYPES: Final = {"front": Image, "wrist": Image, "joint_states": JointState, "ee_pose": PoseStamped}


def print_result(**values: Any) -> None:
    """Print the one result of a process for `lbm bench`."""
    print(PREFIX + json.dumps(values), flush=True)


class ObservationPublisher:
    """Publishes what a robot senses below a prefix: two cameras, joints and pose, all of one instant."""

    def __init__(self, node: Node, prefix: str, *, height: int, width: int) -> None:
        self._publishers = {
            name: node.create_publisher(
                kind, topics.below(prefix, name), qos.CAMERA if kind is Image else qos.PROPRIO
            )
            for name, kind in TYPES.items()
        }
        rng = np.random.default_rng(0)
        self._image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        self._images = {name: ImageMessage(height=height, width=width, frame_id=name) for name in CAMERAS}

    def publish(self, stamp_ns: int, *, with_images: bool = True) -> None:
        """Publish one instant."""
        stamp = conversion.to_stamp(stamp_ns)
        joints = JointState(name=["gripper_opening"], position=[1.0])
        pose = PoseStamped()
        joints.header.stamp = pose.header.stamp = stamp
        pose.header.frame_id = "base"
        pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = POSITION
        self._publishers["joint_states"].publish(joints)
        self._publishers["ee_pose"].publish(pose)
        if with_images:
            for name, message in self._images.items():
                self._publishers[name].publish(message.fill(self._image, stamp))


def still_chunk(chunk_id: int, stamp_ns: int, *, horizon: int, step_s: float) -> ActionChunk:
    """Return a chunk that stays where the robot is."""
    rows = np.tile([*POSITION, 1.0], (horizon, 1))
    chunk = Chunk(
        chunk_id=chunk_id,
        observation_stamp_ns=stamp_ns,
        start_ns=stamp_ns,
        step_ns=round(step_s * 1e9),
        actions=rows,
        samples=no_samples(*rows.shape),
        action_names=("x", "y", "z", "gripper"),
    )
    return conversion.chunk_message(chunk, frame_id="base")
