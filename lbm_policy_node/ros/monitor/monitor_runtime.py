# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What exists between configure and cleanup of the monitor node: calibration, monitor, topics."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import ControlState, MonitorVerdict
from rclpy.node import Node

from lbm_policy_node.core.episodes.interruptions import Interruptions
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.graph.monitor_choice import CALIBRATION_FILE
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.image_encoding import ConversionError
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.progress.report import ProgressReport
from lbm_policy_node.monitors.verdict import Level

from .. import qos, topics
from ..verdict_messages import fault_message, verdict_message
from .monitor_node_config import VLM, MonitorNodeConfig
from .monitor_report import MonitorReport
from .progress_watch import ProgressWatch, make_progress_watch


class MonitorRuntime:
    """Built whole or not at all; all calls belong to the node's executor thread."""

    def __init__(self, node: Node, config: MonitorNodeConfig, on_verdict: Callable[[], None]) -> None:
        """Load spec and calibration; nothing is subscribed before ``start``.

        ``on_verdict`` is called after each verdict.

        Raises:
            SpecError: The robot spec is refused.
            CalibrationError: The calibration cannot be read.
            ValueError: The checkpoint is no folder.
        """
        self._node, self._on_verdict = node, on_verdict
        robot = RobotSpec.load(config.robot)
        self._columns = ScoredColumns.from_spec(robot.action)
        self._file, warning = find_calibration(config)
        if warning:
            node.get_logger().warning(warning)
        self._calibration = Calibration.load(self._file) if self._file else None
        self._monitor = self._make_monitor()  # refuses now what it could not load at activation
        self.report = self._make_report()
        self._publisher = node.create_publisher(MonitorVerdict, topics.MONITOR_VERDICTS, qos.VERDICT)
        self._subscriptions: list[Any] = []
        self._progress: ProgressWatch | None = None
        if config.progress == VLM:
            self._progress = make_progress_watch(node, robot, config, self._on_progress)

    def start(self) -> None:
        """Begin to judge; a run that is under way then is one that the monitor joins in its middle."""
        self._monitor, self.report = self._make_monitor(), self._make_report()
        self._interruptions = Interruptions()
        subscribe = self._node.create_subscription
        self._subscriptions = [
            subscribe(ActionChunkMessage, topics.ACTION_CHUNKS, self._on_chunk, qos.EVERY_CHUNK),
            subscribe(ControlState, topics.CONTROL_STATE, self._on_control, qos.CONTROL_STATE),
        ]
        if self._progress:
            self._progress.start()

    def stop(self) -> None:
        """Judge no further."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        if self._progress:
            self._progress.stop()

    def destroy(self) -> None:
        """Disconnect."""
        self.stop()
        if self._progress:
            self._progress.close()
        self._node.destroy_publisher(self._publisher)

    def reset(self, why: str) -> None:
        """Forget the chunks so far."""
        self._monitor.reset(why)
        if self._progress:
            self._progress.reset()
        self._node.get_logger().info(f"starts over: {why}")

    def _make_monitor(self) -> Monitor:
        return Monitor(self._columns, self._calibration, folder=self._file.parent if self._file else None)

    def _make_report(self) -> MonitorReport:
        return MonitorReport(self._calibration.id if self._calibration else "")

    def _on_chunk(self, message: ActionChunkMessage) -> None:
        try:
            chunk = chunk_from_message(message)
        except ConversionError as error:
            names = {"score_name": self._monitor.score_name, "calibration_id": self.report.calibration_id}
            self._publish(fault_message(message, str(error), **names))
            return
        self._interruptions.on_chunk(chunk.index)
        if self._progress:
            self._progress.on_chunk(chunk)
        began = time.perf_counter()
        verdict = self._monitor.update(chunk)
        self.report.cost.add(time.perf_counter() - began)
        self._publish(verdict_message(verdict, score_name=self._monitor.score_name))

    def _on_progress(self, report: ProgressReport) -> None:
        """Hand a progress report to the monitor; its next verdict counts it."""
        self._monitor.on_progress(report)
        if report.failed is not False:
            text = f"progress:{report.detector}: {report.text}"
            self._node.get_logger().warning(text, throttle_duration_sec=5.0)

    def _on_control(self, message: ControlState) -> None:
        why = self._interruptions.on_control(message.mode, message.reason.code)
        if why:
            self.reset(why)

    def _publish(self, verdict: MonitorVerdict) -> None:
        self._publisher.publish(verdict)
        if self.report.add(verdict):
            self._log(verdict)
        self._on_verdict()

    def _log(self, verdict: MonitorVerdict) -> None:
        level = Level(verdict.level)
        text = f"{level.name}: chunk {verdict.chunk_id}: {verdict.text}"
        if level in (Level.NORMAL, Level.WARMING_UP):
            self._node.get_logger().info(text)
        else:
            self._node.get_logger().warning(text)


def find_calibration(config: MonitorNodeConfig) -> tuple[Path | None, str]:
    """Return the calibration's file, or None with a warning where there is none.

    Raises:
        ValueError: The checkpoint is no folder.
    """
    if config.calibration:
        return Path(config.calibration), ""
    if not config.checkpoint:
        return None, "neither calibration nor checkpoint is set: every verdict will be UNCALIBRATED"
    if not Path(config.checkpoint).is_dir():
        raise ValueError(f"checkpoint is '{config.checkpoint}'; expected the policy's folder")
    file = Path(config.checkpoint) / CALIBRATION_FILE
    if file.exists():
        return file, ""
    return None, f"{file} does not exist: every verdict will be UNCALIBRATED; `lbm calibrate` makes it"
