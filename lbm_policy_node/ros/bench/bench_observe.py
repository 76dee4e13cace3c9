# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays two cameras and joint states for `lbm bench-observe`, first to an idle policy node, then to a run.

::

    wait for IDLE | settle | `duration_s` idle | start a run | first chunk | settle | `duration_s` running
"""

import signal
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from lbm_msgs.msg import ActionChunk, PolicyStatus
from lbm_msgs.srv import StartPolicy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image, JointState

from lbm_policy_node.core.settings import setting
from lbm_policy_node.core.types import ImageArray
from lbm_policy_node.messages.jpeg import encode_jpeg
from lbm_policy_node.ros import conversion, qos, topics
from lbm_policy_node.ros.bench.bench_messages import CAMERAS, print_result
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run
from lbm_policy_node.ros.sim.sim_sensors import ImageMessage

STATE_HZ: Final = 100.0
IMAGE_HZ: Final = 30.0
SETTLE_S: Final = 2.0
START_LIMIT_S: Final = 60.0
JPEG_QUALITY: Final = 80
"""Of image_transport's compressed plugin, by default."""
JOINTS: Final = ("x", "y", "z", "gripper_opening")


@dataclass(frozen=True, kw_only=True)
class ObserveConfig:
    """Parameters of the measurement."""

    height: int = setting(480, "Rows of the images.", low=16, high=2160)
    width: int = setting(640, "Columns of the images.", low=16, high=3840)
    compressed: bool = setting(False, "Send JPEG instead of rgb8.")
    duration_s: float = setting(10.0, "How long each of the two windows is.", low=0.1, high=3600.0)


class ObserveBench(Node):
    """Everything happens in the executor's thread; each step of the measurement waits for the one before."""

    def __init__(self) -> None:
        super().__init__("bench_observe")
        self._config = config = declare(self, ObserveConfig)
        self._cameras = [Camera(self, name, config) for name in CAMERAS]
        self._joints = self.create_publisher(
            JointState, topics.below(topics.BENCH_ROBOT, "joint_states"), qos.PROPRIO
        )
        self.create_subscription(PolicyStatus, topics.POLICY_STATUS, self._on_status, qos.STATUS)
        self.create_subscription(ActionChunk, topics.ACTION_CHUNKS, self._on_chunk, qos.CHUNK)
        self._start = self.create_client(StartPolicy, topics.START_POLICY)
        self._state, self._n_chunks, self._n_images = -1, 0, 0
        self._images_due = 0.0
        self._began_s = time.monotonic()
        self._wait: Callable[[], bool] = self._is_idle
        self._steps = [
            (self._after(SETTLE_S), lambda: None),
            (self._after(config.duration_s), lambda: self._say("idle begins")),
            (self._is_running, self._start_run),
            (self._after(SETTLE_S), lambda: None),
            (self._after(config.duration_s), lambda: self._say("running begins")),
            (lambda: False, self._finish),
        ]
        self.create_timer(1.0 / STATE_HZ, self._tick)

    def _on_status(self, message: PolicyStatus) -> None:
        self._state = message.state

    def _on_chunk(self, _message: ActionChunk) -> None:
        self._n_chunks += 1

    def _is_idle(self) -> bool:
        self._check_patience()
        heard = all(camera.is_heard() for camera in self._cameras) and self._start.service_is_ready()
        return heard and self._state == PolicyStatus.IDLE

    def _is_running(self) -> bool:
        self._check_patience()
        return self._n_chunks > 0

    def _after(self, seconds: float) -> Callable[[], bool]:
        return lambda: time.monotonic() - self._began_s >= seconds

    def _check_patience(self) -> None:
        if time.monotonic() - self._began_s > START_LIMIT_S:
            raise TimeoutError(f"the policy node did not answer within {START_LIMIT_S:g} s")

    def _say(self, phase: str) -> None:
        print_result(phase=phase, n_chunks=self._n_chunks, n_images=self._n_images)

    def _start_run(self) -> None:
        self._say("idle ends")
        self._start.call_async(StartPolicy.Request(instruction="hold still"))

    def _finish(self) -> None:
        self._say("running ends")
        signal.raise_signal(signal.SIGINT)

    def _tick(self) -> None:
        self._send()
        if self._wait() and self._steps:
            self._wait, enter = self._steps.pop(0)
            self._began_s = time.monotonic()
            enter()

    def _send(self) -> None:
        stamp = conversion.to_stamp(self.get_clock().now().nanoseconds)
        joints = JointState(name=list(JOINTS), position=[0.0, 0.6, 0.2, 1.0])
        joints.header.stamp = stamp
        self._joints.publish(joints)
        self._images_due += IMAGE_HZ / STATE_HZ
        if self._images_due >= 1.0:
            self._images_due -= 1.0
            for camera in self._cameras:
                camera.publish(stamp)
            self._n_images += 1


class Camera:
    """Publishes the same picture again and again."""

    def __init__(self, node: Node, name: str, config: ObserveConfig) -> None:
        self._pixels = pixels = picture(config.height, config.width)
        self._image = ImageMessage(height=config.height, width=config.width, frame_id=name)
        self._jpeg = CompressedImage(format="jpeg")
        self._jpeg.header.frame_id = name
        self._jpeg.data = array("B", encode_jpeg(pixels, JPEG_QUALITY))
        self._compressed = config.compressed
        kind = CompressedImage if config.compressed else Image
        self._publisher = node.create_publisher(kind, topics.below(topics.BENCH_ROBOT, name), qos.CAMERA)

    def is_heard(self) -> bool:
        """Whether there is a subscriber."""
        return self._publisher.get_subscription_count() > 0

    def publish(self, stamp: Any) -> None:
        """Send the picture."""
        if self._compressed:
            self._jpeg.header.stamp = stamp
            self._publisher.publish(self._jpeg)
        else:
            self._publisher.publish(self._image.fill(self._pixels, stamp))


def picture(height: int, width: int) -> ImageArray:
    """Return shades with some grain, about as hard to compress as a camera's picture."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0:width]
    shades = np.stack([np.sin(rows / 37.0), np.cos(columns / 53.0), np.sin((rows + columns) / 71.0)], axis=-1)
    grain = rng.normal(0.0, 20.0, shades.shape)
    return np.clip(128.0 + 100.0 * shades + grain, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(run(ObserveBench))
