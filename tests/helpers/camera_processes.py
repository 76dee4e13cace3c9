# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Two cameras in one process, their receiver in another: `python camera_processes.py publish|receive`.

The receiver prints one JSON object: frames per camera and the delays from stamp to callback in ms (for
docs/transport.md; tests look at the counts only).
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Bool

from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.conversion import to_stamp
from lbm_policy_node.ros.sim.sim_sensors import ImageMessage

CAMERAS = ("front", "wrist")
RATE_HZ = 30.0


PATIENT = QoSProfile(depth=30, reliability=QoSReliabilityPolicy.BEST_EFFORT)
"""A camera subscription with a queue: only the transport loses frames, not a stalled receiver."""

WARM_UP = "warm_up"
"""frame_id of the frames before the receiver has heard both cameras: discovery is no loss."""


class Cameras(Node):
    """Publishes a fixed number of frames once the receiver hears both cameras, then says that it is done."""

    def __init__(self, *, frames: int, height: int, width: int) -> None:
        super().__init__("cameras")
        self.frames_left, self.heard = frames, False
        self._image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        self._message = ImageMessage(height=height, width=width, frame_id=WARM_UP)
        self._cameras = [self.create_publisher(Image, f"/frames/{name}", qos.CAMERA) for name in CAMERAS]
        self._done = self.create_publisher(Bool, "/frames/done", qos.STATUS)
        self.create_subscription(Bool, "/frames/heard", self._on_heard, qos.STATUS)
        self._timer = self.create_timer(1.0 / RATE_HZ, self._tick)

    def _on_heard(self, _message: Bool) -> None:
        self.heard = True
        self._message.message.header.frame_id = "camera"

    def _tick(self) -> None:
        for camera in self._cameras:
            camera.publish(self._message.fill(self._image, to_stamp(time.monotonic_ns())))
        self.frames_left -= self.heard
        if self.frames_left == 0:
            self._timer.cancel()
            self._done.publish(Bool(data=True))


class Receiver(Node):
    """Counts frames."""

    def __init__(self) -> None:
        super().__init__("receiver")
        self.delays_ms: dict[str, list[float]] = {name: [] for name in CAMERAS}
        self.done = False
        self.unheard = set(CAMERAS)
        self._heard = self.create_publisher(Bool, "/frames/heard", qos.STATUS)
        for name in CAMERAS:
            self.create_subscription(Image, f"/frames/{name}", self._on_frame(name), PATIENT)
        self.create_subscription(Bool, "/frames/done", self._on_done, qos.STATUS)

    def _on_frame(self, name: str) -> Callable[[Image], None]:
        def receive(message: Image) -> None:
            now_ns = time.monotonic_ns()
            if message.header.frame_id == WARM_UP:
                self._hear(name)
                return
            self.delays_ms[name].append((now_ns - to_ns(message.header.stamp)) / 1e6)

        return receive

    def _hear(self, name: str) -> None:
        if name in self.unheard:
            self.unheard.remove(name)
            if not self.unheard:
                self._heard.publish(Bool(data=True))

    def _on_done(self, _message: Bool) -> None:
        self.done = True


def main() -> None:
    """Run one of the two processes; the publisher lives until its input is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["publish", "receive"])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, default=(480, 640))
    parser.add_argument("--limit-s", type=float, default=60.0)
    arguments = parser.parse_args()
    rclpy.init()
    deadline = time.monotonic() + arguments.limit_s
    if arguments.role == "publish":
        node = Cameras(frames=arguments.frames, height=arguments.size[0], width=arguments.size[1])
        while (
            time.monotonic() < deadline
        ):  # stays after the last frame, so that it is not torn down on its way
            rclpy.spin_once(node, timeout_sec=0.1)
    else:
        node = Receiver()
        while not node.done and time.monotonic() < deadline:
            rclpy.spin_once(node, timeout_sec=0.1)
        unheard = sorted(node.unheard)
        print(json.dumps({"done": node.done, "unheard": unheard, "delays_ms": node.delays_ms}))
    sys.stdout.flush()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
