# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Plays a robot with two cameras for `lbm bench-recorder`, and counts what it has sent.

::

    wait for the recorder | ready, `duration_s` counted | rest | end of the run | wait for the disk | result
"""

import signal
import sys
import time
from dataclasses import dataclass
from typing import Final

from diagnostic_msgs.msg import DiagnosticArray
from lbm_msgs.msg import ControlState, PolicyStatus, RecorderStatus
from rclpy.node import Node

from lbm_policy_node.core.settings import setting
from lbm_policy_node.ros import conversion, qos, topics
from lbm_policy_node.ros.bench.bench_messages import ObservationPublisher, print_result
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run

STATE_HZ: Final = 100.0
IMAGE_HZ: Final = 30.0
REST_S: Final = 0.5
"""From the last counted message to the end of the run, so that none is on its way when recording stops."""
START_LIMIT_S: Final = 60.0
CLOSE_LIMIT_S: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class RecorderBenchConfig:
    """Parameters of the measurement."""

    height: int = setting(480, "Rows of the images.", low=16, high=2160)
    width: int = setting(640, "Columns of the images.", low=16, high=3840)
    duration_s: float = setting(20.0, "How long to send after recording has begun.", low=0.1, high=3600.0)


class RecorderBench(Node):
    """Everything happens in the executor's thread."""

    def __init__(self) -> None:
        super().__init__("bench_recorder")
        self._config = config = declare(self, RecorderBenchConfig)
        self._robot = ObservationPublisher(self, topics.BENCH_ROBOT, height=config.height, width=config.width)
        self._control = self.create_publisher(ControlState, topics.CONTROL_STATE, qos.CONTROL_STATE)
        self._policy = self.create_publisher(PolicyStatus, topics.POLICY_STATUS, qos.STATUS)
        self.create_subscription(RecorderStatus, topics.RECORDER_STATUS, self._on_status, qos.STATUS)
        self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._on_health, qos.DIAGNOSTICS)
        self._status = RecorderStatus()
        self._hand_off_ms: list[tuple[float, float]] = []
        self._sent = {"images": 0, "states": 0}
        self._began_s = self._ended_s = 0.0
        self._began_ns = 0
        self._deadline_s = time.monotonic() + START_LIMIT_S
        self._images_due = 0.0
        self._policy.publish(PolicyStatus(state=PolicyStatus.RUNNING))
        self.create_timer(1.0 / STATE_HZ, self._tick)

    def _on_status(self, status: RecorderStatus) -> None:
        self._status = status

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {value.key: value.value for value in status.values}
            if self._began_s and not self._ended_s and "hand_off_median_ms" in values:
                figures = float(values["hand_off_median_ms"]), float(values["hand_off_p99_ms"])
                self._hand_off_ms.append(figures)

    def _tick(self) -> None:
        if self._ended_s:
            self._finish()
        elif self._began_s and time.monotonic() - self._began_s >= self._config.duration_s:
            self._ended_s = time.monotonic()
            print_result(sent_all=True)
        else:
            self._send()
            self._begin()

    def _begin(self) -> None:
        if self._began_s:
            return
        if self._status.state == RecorderStatus.RECORDING:
            self._began_s, self._began_ns = time.monotonic(), self.get_clock().now().nanoseconds
            print_result(ready=True)
        elif time.monotonic() > self._deadline_s:
            raise TimeoutError(f"the recorder did not begin within {START_LIMIT_S:g} s")

    def _send(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        self._images_due += IMAGE_HZ / STATE_HZ
        with_images = self._images_due >= 1.0
        self._images_due -= with_images
        self._robot.publish(now_ns, with_images=with_images)
        state = ControlState()
        state.header.stamp = conversion.to_stamp(now_ns)
        self._control.publish(state)
        if self._began_s:
            self._sent["images"] += 2 * with_images
            self._sent["states"] += 3

    def _finish(self) -> None:
        if time.monotonic() - self._ended_s < REST_S:
            return
        self._policy.publish(PolicyStatus(state=PolicyStatus.IDLE))
        if self._status.state != RecorderStatus.RECORDING:
            print_result(
                sent=self._sent,
                began_ns=self._began_ns,
                seconds=self._ended_s - self._began_s,
                hand_off_ms=self._hand_off_ms,
                path=self._status.path,
                n_dropped=self._status.n_dropped,
                n_bytes=self._status.n_bytes,
                reason=self._status.reason.text,
            )
            signal.raise_signal(signal.SIGINT)
        elif time.monotonic() - self._ended_s > CLOSE_LIMIT_S:
            raise TimeoutError(f"the recorder did not close the episode within {CLOSE_LIMIT_S:g} s")


if __name__ == "__main__":
    sys.exit(run(RecorderBench))
