# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Show a progress detector what a camera sees while a run goes on, and hand on what it reports.

The detector answers when it can, in its own thread; nothing here waits for it.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from lbm_msgs.msg import PolicyStatus
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from lbm_policy_node.core.execution.arbitration import PolicyState
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.monitors.progress.detector import ProgressDetector
from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot
from lbm_policy_node.monitors.progress.vlm import VlmDetector
from lbm_policy_node.monitors.progress.vlm_config import VlmConfig

from .. import conversion, qos, topics
from ..message_types import message_class
from .monitor_node_config import MonitorNodeConfig

POLL_PERIOD_S = 0.1
"""How late a finished report is noticed, at most; wall time, which is what the detector's answers take."""


class ProgressWatch:
    """One camera and one detector; all calls belong to the node's executor thread."""

    def __init__(
        self,
        node: Node,
        stream: StreamSpec,
        detector: ProgressDetector,
        period_s: float,
        on_report: Callable[[ProgressReport], None],
    ) -> None:
        """Take over the detector; nothing is subscribed before ``start``."""
        self._node, self._stream, self._detector, self._on_report = node, stream, detector, on_report
        self._period_ns = round(period_s * 1e9)
        self._subscriptions: list[Any] = []
        self._timer: Any = None
        self._began_ns: int | None = None
        self._shown_ns: int | None = None
        self._instruction = ""
        self._running, self._time_limit_s = False, math.inf

    def start(self) -> None:
        """Begin to watch."""
        self.reset()
        subscribe, stream = self._node.create_subscription, self._stream
        self._subscriptions = [
            subscribe(message_class(stream.type), stream.topic, self._on_image, qos.CAMERA),
            subscribe(PolicyStatus, topics.POLICY_STATUS, self._on_status, qos.STATUS),
        ]
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self._node.create_timer(POLL_PERIOD_S, self._poll, clock=steady)

    def stop(self) -> None:
        """Watch no further."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None

    def close(self) -> None:
        """End the detector and its thread."""
        self.stop()
        self._detector.close()

    def reset(self) -> None:
        """An episode begins with the next chunk."""
        self._detector.reset()
        self._began_ns, self._instruction, self._shown_ns = None, "", None

    def on_chunk(self, chunk: ActionChunk) -> None:
        """Take the time and the instruction of the run."""
        if chunk.index == 0 or chunk.instruction != self._instruction:
            self.reset()
        if self._began_ns is None:
            self._began_ns, self._instruction = chunk.observation_stamp_ns, chunk.instruction

    def _on_status(self, status: PolicyStatus) -> None:
        self._running = status.state in (PolicyState.RUNNING, PolicyState.BLOCKED)
        self._time_limit_s = status.time_limit_s if status.time_limit_s > 0.0 else math.inf

    def _on_image(self, message: Any) -> None:
        stamp_ns = to_ns(message.header.stamp)
        if not self._running or not self._due(stamp_ns):  # decoding costs; most pictures are not shown
            return
        image = conversion.sample_from_message(message, self._stream.type)
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            text = f"'{self._stream.name}' cannot be shown to the progress detector: {image!s:.200}"
            self._node.get_logger().warning(text, throttle_duration_sec=5.0)
            return
        assert self._began_ns is not None  # else it would not be due
        self._shown_ns = stamp_ns
        self._detector.submit(
            ProgressSnapshot(
                stamp_ns=stamp_ns,
                elapsed_s=(stamp_ns - self._began_ns) * 1e-9,
                time_limit_s=self._time_limit_s,
                instruction=self._instruction,
                image=image,
            )
        )

    def _due(self, stamp_ns: int) -> bool:
        if self._began_ns is None or stamp_ns < self._began_ns:
            return False
        return self._shown_ns is None or stamp_ns - self._shown_ns >= self._period_ns

    def _poll(self) -> None:
        while (report := self._detector.take()) is not None:
            self._on_report(report)


def make_progress_watch(
    node: Node, robot: RobotSpec, config: MonitorNodeConfig, on_report: Callable[[ProgressReport], None]
) -> ProgressWatch:
    """Build the detector that the parameters ask for.

    Raises:
        ValueError: A parameter does not fit, or the key's variable is not set.
    """
    stream = choose_stream(robot, config.progress_stream)
    vlm = VlmConfig(
        endpoint=config.progress_url,
        model=config.progress_model,
        api_key_env=config.progress_key_variable,
        timeout_s=config.progress_timeout_s,
        query_period_s=config.progress_query_s,
        frame_period_s=0.0,  # every picture that is shown is kept: the watch sets the pace
    )
    return ProgressWatch(node, stream, VlmDetector(vlm), config.progress_period_s, on_report)


def choose_stream(robot: RobotSpec, name: str) -> StreamSpec:
    """Return an image stream of the spec by its name, or the first one.

    Raises:
        ValueError: There is no such image stream.
    """
    streams = {stream.name: stream for stream in robot.streams.values() if stream.is_image}
    chosen = name or next(iter(streams), "")
    if chosen not in streams:
        raise ValueError(f"progress_stream is '{name}'; {robot.file} has the image streams {list(streams)}")
    return streams[chosen]
