# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorder node beside the fake robot, and who plays policy, executor and operator."""

from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lbm_msgs.msg import ControlState, EpisodeEvent, MonitorVerdict, PolicyStatus, RecorderStatus
from lbm_msgs.srv import EndEpisode, StartEpisode
from rclpy.node import Node

from helpers.policy_harness import overrides
from helpers.ros_graph import Graph
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.ros import conversion, qos
from lbm_policy_node.ros.process import autostart
from lbm_policy_node.ros.recorder.recorder_node import RecorderNode

CHECKPOINT_ID, INSTRUCTION = "feedbeef", "open the door"


def add_recorder_node(graph: Graph, spec: Path, folder: Path, **parameters: Any) -> RecorderNode:
    """Start a recorder node in the graph; it needs no free space and remembers nothing,
    unless a test says so."""
    values = {"robot": str(spec), "folder": str(folder), "min_free_mb": 0, "pre_roll_s": 0.0, **parameters}
    node = RecorderNode(parameter_overrides=overrides(**values))
    graph.add(node)
    if node.config.autostart:
        autostart(node)
    return node


class RecorderUser:
    """Publishes what the recorder hears of the graph, and watches what it says."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        """Create the topics and wait until the recorder hears them; the clock begins."""
        self.graph, self.folder, self.node = graph, folder, Node("recorder_user")
        create = self.node.create_publisher
        self._status = create(PolicyStatus, "/policy_node/status", qos.STATUS)
        self._control = create(ControlState, "/control_state", qos.CONTROL_STATE)
        self._verdicts = create(MonitorVerdict, "/monitor_verdicts", qos.VERDICT)
        self._events = create(EpisodeEvent, "/episode_events", qos.EPISODE_EVENT)
        self._start = self.node.create_client(StartEpisode, "/start_episode")
        self._end = self.node.create_client(EndEpisode, "/end_episode")
        self.statuses: list[RecorderStatus] = []
        self.events: list[EpisodeEvent] = []
        self.health: DiagnosticStatus | None = None
        subscribe = self.node.create_subscription
        subscribe(RecorderStatus, "/recorder_node/status", self.statuses.append, qos.STATUS)
        subscribe(EpisodeEvent, "/episode_events", self.events.append, qos.EPISODE_EVENT)
        subscribe(DiagnosticArray, "/diagnostics", self._on_health, qos.DIAGNOSTICS)
        graph.add(self.node)
        for publisher in (self._status, self._control, self._verdicts):
            graph.spin_until(lambda p=publisher: p.get_subscription_count() > 0, publisher.topic_name)
        graph.spin_until(lambda: self._events.get_subscription_count() > 1, "the recorder at the events")
        graph.spin_until(graph.robot.is_seen, "subscriptions to the robot")
        graph.spin_until(lambda: self.statuses, "the recorder's status")
        graph.step()

    @property
    def status(self) -> RecorderStatus:
        """The recorder's newest status."""
        return self.statuses[-1]

    def policy(self, state: int, **changes: Any) -> None:
        """Speak as the policy node."""
        known = {"instruction": INSTRUCTION, "checkpoint_id": CHECKPOINT_ID}
        self._send(self._status, PolicyStatus(state=state, **{**known, **changes}))

    def control(self, mode: int) -> None:
        """Speak as the executor, one tick."""
        self._send(self._control, ControlState(mode=mode))

    def verdict(self, calibration_id: str) -> None:
        """Speak as the monitor."""
        self._send(self._verdicts, MonitorVerdict(calibration_id=calibration_id))

    def event(self, event: int, **values: Any) -> None:
        """Speak as the executor about a button of the operator."""
        self._send(self._events, EpisodeEvent(event=event, **{"source": "gamepad", **values}))

    def start(self, instruction: str = "") -> Any:
        """Call start_episode."""
        return self.graph.call(self._start, StartEpisode.Request(instruction=instruction))

    def end(self, outcome: int = EndEpisode.Request.OUTCOME_KEEP, text: str = "") -> Any:
        """Call end_episode."""
        return self.graph.call(self._end, EndEpisode.Request(outcome=outcome, text=text))

    def wait_for(self, state: int, code: int | None = None) -> None:
        """Wait for a status of the recorder."""
        self.graph.spin_until(
            lambda: self.status.state == state and code in (None, self.status.reason.code),
            f"state {state} and code {code}",
        )

    def episodes(self) -> list[Path]:
        """The folders of the episodes, oldest first."""
        return sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    def episode(self) -> Episode:
        """The one episode, once it is closed."""
        self.wait_for(RecorderStatus.IDLE)
        (path,) = self.episodes()
        return read_episode(path)

    def _send(self, publisher: Any, message: Any) -> None:
        message.header.stamp = conversion.to_stamp(self.graph.robot.now_ns)
        self.graph.send(publisher, message)

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == "/recorder_node":
                self.health = status
