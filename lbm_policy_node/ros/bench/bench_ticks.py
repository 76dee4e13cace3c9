# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Feed the chunk executor like a robot and a policy, and note when it and a bare timer tick."""

import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from lbm_msgs.msg import ActionChunk, ControlState, PolicyStatus
from rclpy.node import Node

from lbm_policy_node.core.settings import setting
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.bench.bench_messages import ObservationPublisher, print_result, still_chunk
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run

FEEDBACK_HZ: Final = 100.0
TICKS_PER_CHUNK: Final = 20
START_LIMIT_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class TicksConfig:
    """Parameters of the measurement."""

    duration_s: float = setting(20.0, "How long to listen after both have ticked.", low=0.1, high=3600.0)


class TicksBench(Node):
    """Publishes pose and joints at 100 Hz and a chunk five times a second; collects the ticks' stamps."""

    def __init__(self) -> None:
        super().__init__("bench_ticks")
        self._duration_s = declare(self, TicksConfig).duration_s
        self._robot = ObservationPublisher(self, topics.BENCH_ROBOT, height=16, width=16)
        self._stamps: dict[str, list[int]] = {"executor": [], "bare": []}
        self._n = 0
        self._end: float | None = None
        self._deadline = time.monotonic() + START_LIMIT_S
        self._chunks = self.create_publisher(ActionChunk, topics.ACTION_CHUNKS, qos.CHUNK)
        self._status = self.create_publisher(PolicyStatus, topics.POLICY_STATUS, qos.STATUS)
        self.create_subscription(
            ControlState, topics.CONTROL_STATE, partial(self._on_tick, "executor"), qos.CONTROL_STATE
        )
        self.create_subscription(
            ControlState, topics.BARE_CONTROL_STATE, partial(self._on_tick, "bare"), qos.CONTROL_STATE
        )
        self._status.publish(PolicyStatus(state=PolicyStatus.RUNNING))
        self.create_timer(1.0 / FEEDBACK_HZ, self._feed)

    def _on_tick(self, side: str, message: ControlState) -> None:
        if side == "bare" or message.mode == ControlState.POLICY:
            self._stamps[side].append(to_ns(message.header.stamp))

    def _feed(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        self._robot.publish(now_ns, with_images=False)
        if self._n % TICKS_PER_CHUNK == 0:
            self._chunks.publish(
                still_chunk(self._n // TICKS_PER_CHUNK + 1, now_ns, horizon=32, step_s=1 / 30)
            )
        self._n += 1
        self._watch()

    def _watch(self) -> None:
        if self._end is None and all(self._stamps.values()):
            self._end = time.monotonic() + self._duration_s
            print_result(ready=True)
        elif self._end is None and time.monotonic() > self._deadline:
            ticking = sorted(side for side, stamps in self._stamps.items() if stamps)
            raise TimeoutError(f"only {ticking} ticked within {START_LIMIT_S:g} s")
        elif self._end is not None and time.monotonic() >= self._end:
            print_result(stamps_ns=self._stamps)
            signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(run(TicksBench))
