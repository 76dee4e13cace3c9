# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Bare rclpy, for comparison: receives an observation's messages and answers each with a prebuilt chunk."""

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from lbm_msgs.msg import ActionChunk
from rclpy.node import Node
from sensor_msgs.msg import Image

from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.bench.bench_messages import CAMERAS, TYPES, still_chunk
from lbm_policy_node.ros.process import run


class Echo(Node):
    """Answers when both images of one stamp are there; no gate, no policy, no thread."""

    def __init__(self) -> None:
        super().__init__("bench_echo")
        self._answer = still_chunk(1, 0, horizon=16, step_s=1 / 30)
        self._stamps: dict[str, Time | None] = dict.fromkeys(CAMERAS)
        self._chunks = self.create_publisher(ActionChunk, topics.BARE_CHUNKS, qos.CHUNK)
        for name, kind in TYPES.items():
            profile = qos.CAMERA if kind is Image else qos.PROPRIO
            self.create_subscription(
                kind, topics.below(topics.BARE_ROBOT, name), self._receiver(name), profile
            )

    def _receiver(self, name: str) -> Callable[[Any], None]:
        def receive(message: Any) -> None:
            if name not in self._stamps:
                return
            self._stamps[name] = message.header.stamp
            if all(stamp == message.header.stamp for stamp in self._stamps.values()):
                self._answer.header.stamp = message.header.stamp
                self._chunks.publish(self._answer)

        return receive


if __name__ == "__main__":
    raise SystemExit(run(Echo))
