# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Time from observation stamp to received chunk, by turns through the policy node and through bare rclpy.

::

    window   policy | bare | policy | bare | ...     each `window_s`, its first frames not counted
"""

import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from lbm_msgs.msg import ActionChunk, PolicyStatus
from lbm_msgs.srv import StartPolicy
from rclpy.node import Node

from lbm_policy_node.core.settings import setting
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.bench.bench_messages import ObservationPublisher, print_result
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run

RATE_HZ: Final = 30.0
UNCOUNTED: Final = 8
"""Frames at the start of a window that only wake up the other side."""
START_LIMIT_S: Final = 60.0
PREFIXES: Final = {"policy": topics.BENCH_ROBOT, "bare": topics.BARE_ROBOT}
SIDES: Final = tuple(PREFIXES)


@dataclass(frozen=True, kw_only=True)
class LatencyConfig:
    """Parameters of the measurement."""

    height: int = setting(480, "Rows of the images.", low=16, high=2160)
    width: int = setting(640, "Columns of the images.", low=16, high=3840)
    frames: int = setting(60, "Frames that are counted in each window.", low=1, high=10_000)
    windows: int = setting(4, "Windows of each side.", low=1, high=1000)


class LatencyBench(Node):
    """Plays the robot and takes the time; everything happens in the executor's thread."""

    def __init__(self) -> None:
        super().__init__("bench_latency")
        self.config = config = declare(self, LatencyConfig)
        size = {"height": config.height, "width": config.width}
        self._robots = {side: ObservationPublisher(self, prefix, **size) for side, prefix in PREFIXES.items()}
        self._delays_ms: dict[str, list[float]] = {side: [] for side in SIDES}
        self._counted_stamps: set[int] = set()
        self._heard: set[str] = set()
        self._frame = self._window = 0
        self.create_subscription(
            ActionChunk, topics.ACTION_CHUNKS, partial(self._on_chunk, "policy"), qos.CHUNK
        )
        self.create_subscription(ActionChunk, topics.BARE_CHUNKS, partial(self._on_chunk, "bare"), qos.CHUNK)
        self.create_subscription(PolicyStatus, topics.POLICY_STATUS, self._on_status, qos.STATUS)
        self._start = self.create_client(StartPolicy, topics.START_POLICY)
        self._deadline = time.monotonic() + START_LIMIT_S
        self.create_timer(1.0 / RATE_HZ, self._tick)

    def _on_status(self, message: PolicyStatus) -> None:
        if (
            message.state == PolicyStatus.IDLE and self._start.service_is_ready()
        ):  # again if the first got lost
            self._start.call_async(StartPolicy.Request(instruction="hold still"))

    def _on_chunk(self, side: str, message: ActionChunk) -> None:
        delay_ns = self.get_clock().now().nanoseconds - to_ns(message.header.stamp)
        self._heard.add(side)
        if to_ns(message.header.stamp) in self._counted_stamps:
            self._delays_ms[side].append(delay_ns * 1e-6)

    def _tick(self) -> None:
        if len(self._heard) < len(SIDES):  # both at once until each has answered
            for robot in self._robots.values():
                robot.publish(self.get_clock().now().nanoseconds)
            if time.monotonic() > self._deadline:
                raise TimeoutError(f"only {sorted(self._heard)} answered within {START_LIMIT_S:g} s")
            return
        if self._window == 2 * self.config.windows:
            self._finish()
            return
        stamp_ns = self.get_clock().now().nanoseconds
        if self._frame >= UNCOUNTED:
            self._counted_stamps.add(stamp_ns)
        self._robots[SIDES[self._window % 2]].publish(stamp_ns)
        self._frame += 1
        if self._frame == UNCOUNTED + self.config.frames:
            self._frame, self._window = 0, self._window + 1

    def _finish(self) -> None:
        asked = self.config.frames * self.config.windows
        print_result(asked=asked, delays_ms=self._delays_ms)
        signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(run(LatencyBench))
