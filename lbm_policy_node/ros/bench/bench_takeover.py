# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Time from a joystick's press to the operator's first command, as the controller receives it.

::

    policy drives, a moment of chance | press ... operator's first command | hold | release | policy drives
                                      |<------------- measured ------------->|      | 0.5 s  |
"""

import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from geometry_msgs.msg import PoseStamped
from lbm_msgs.msg import ActionChunk, ControlState, PolicyStatus, Reason
from lbm_msgs.srv import Resume
from rclpy.node import Node
from sensor_msgs.msg import Joy

from lbm_policy_node.core.settings import setting
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos, topics
from lbm_policy_node.ros.bench.bench_messages import ObservationPublisher, print_result, still_chunk
from lbm_policy_node.ros.parameters import declare
from lbm_policy_node.ros.process import run

FEEDBACK_HZ: Final = 100.0
TICKS_PER_CHUNK: Final = 10
TICKS_PER_JOY: Final = 2
"""The joystick repeats at 50 Hz between its changes; a press is sent at once."""
HOLD_S: Final = 0.05
WAIT_S: Final = (0.05, 0.1)
ACT_S: Final = 0.0037
"""No multiple and no part of the control tick, so that presses fall anywhere into one."""
DEAD_MAN, N_BUTTONS, N_AXES = 4, 12, 8
"""Of the simulated robot's gamepad."""
LIMIT_S: Final = 30.0
"""Longest time without any progress."""


@dataclass(frozen=True, kw_only=True)
class TakeoverConfig:
    """Parameters of the measurement."""

    presses: int = setting(300, "How often to press.", low=1, high=100_000)
    seed: int = setting(0, "Of the moments at which is pressed.", low=0, high=2**31 - 1)


class TakeoverBench(Node):
    """Plays the robot, the policy and the operator; everything happens in the executor's thread."""

    def __init__(self) -> None:
        super().__init__("bench_takeover")
        self._config = declare(self, TakeoverConfig)
        self._random = random.Random(self._config.seed)
        self._robot = ObservationPublisher(self, topics.BENCH_ROBOT, height=16, width=16)
        self._delays_ms: list[float] = []
        self._pauses = 0
        self._arrivals: dict[int, int] = {}
        self._n = 0
        self._down = False
        self._pressed_ns: int | None = None
        self._first_ns: int | None = None
        self._due: tuple[float, Callable[[], None]] | None = None
        self._paused = False
        self._last: ControlState | None = None
        self._progress_s = time.monotonic()
        self._chunks = self.create_publisher(ActionChunk, topics.ACTION_CHUNKS, qos.CHUNK)
        self._status = self.create_publisher(PolicyStatus, topics.POLICY_STATUS, qos.STATUS)
        self._joy = self.create_publisher(Joy, topics.BENCH_JOY, 10)
        self.create_subscription(ControlState, topics.CONTROL_STATE, self._on_state, qos.CONTROL_STATE)
        self.create_subscription(PoseStamped, topics.BENCH_TARGET_POSE, self._on_command, qos.COMMAND)
        self._resume = self.create_client(Resume, topics.RESUME)
        self._status.publish(PolicyStatus(state=PolicyStatus.RUNNING))
        self.create_timer(1.0 / FEEDBACK_HZ, self._feed)
        self.create_timer(ACT_S, self._act)

    def _on_state(self, message: ControlState) -> None:
        self._last = message
        self._paused, before = _is_paused(message), self._paused
        if self._paused:
            self._pauses += not before
            self._recover()
        elif message.mode == ControlState.POLICY and not self._down and self._due is None:
            self._later(self._random.uniform(*WAIT_S), self._press)
        elif message.mode == ControlState.HUMAN and self._pressed_ns is not None and self._first_ns is None:
            self._first_ns = to_ns(message.header.stamp)
            self._measure()

    def _on_command(self, message: PoseStamped) -> None:
        if self._pressed_ns is not None:
            self._arrivals[to_ns(message.header.stamp)] = time.monotonic_ns()
            self._measure()

    def _measure(self) -> None:
        """Take the operator's first command that has arrived; a controller keeps the newest only."""
        if self._pressed_ns is None or self._first_ns is None:
            return
        arrived = [at_ns for stamp_ns, at_ns in self._arrivals.items() if stamp_ns >= self._first_ns]
        if not arrived:
            return
        self._delays_ms.append((min(arrived) - self._pressed_ns) * 1e-6)
        self._pressed_ns = self._first_ns = None
        self._arrivals.clear()
        self._progress_s = time.monotonic()
        self._later(HOLD_S, self._release)

    def _recover(self) -> None:
        """A signal that came too late has paused the robot: release, and let the policy go on."""
        self._down, self._pressed_ns, self._first_ns, self._due = False, None, None, None
        self._arrivals.clear()
        self._send_joy()
        if self._resume.service_is_ready():
            self._resume.call_async(Resume.Request())

    def _press(self) -> None:
        self._down, self._pressed_ns = True, time.monotonic_ns()
        self._send_joy()

    def _release(self) -> None:
        self._down = False
        self._send_joy()
        if len(self._delays_ms) == self._config.presses:
            print_result(delays_ms=self._delays_ms, pauses=self._pauses)
            signal.raise_signal(signal.SIGINT)

    def _send_joy(self) -> None:
        buttons = [int(self._down and i == DEAD_MAN) for i in range(N_BUTTONS)]
        message = Joy(axes=[0.0] * N_AXES, buttons=buttons)
        message.header.stamp = self.get_clock().now().to_msg()
        self._joy.publish(message)

    def _feed(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        self._robot.publish(now_ns, with_images=False)
        if self._n % TICKS_PER_CHUNK == 0:
            chunk_id = self._n // TICKS_PER_CHUNK + 1
            self._chunks.publish(still_chunk(chunk_id, now_ns, horizon=32, step_s=1 / 30))
        if self._n % TICKS_PER_JOY == 0:
            self._send_joy()
        self._n += 1
        if time.monotonic() - self._progress_s > LIMIT_S:
            text = f"press {len(self._delays_ms) + 1} was not followed within {LIMIT_S:g} s"
            raise TimeoutError(f"{text}; the executor's last state is {self._last}")

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        self._due = (time.monotonic() + delay_s, act)

    def _act(self) -> None:
        if self._due is not None and time.monotonic() >= self._due[0]:
            (_, act), self._due = self._due, None
            act()


def _is_paused(state: ControlState) -> bool:
    return state.mode == ControlState.HOLD and state.reason.code == Reason.HUMAN_CONTROL


if __name__ == "__main__":
    sys.exit(run(TakeoverBench))
