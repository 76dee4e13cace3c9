# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A chunk executor node beside the fake robot, fed with chunks and statuses by the test."""

from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import ControlState, MonitorVerdict, PolicyStatus
from lbm_msgs.srv import ResetEstop
from rclpy.node import Node
from std_msgs.msg import Bool

from helpers.builders import make_chunk
from helpers.fake_robot import TICK_NS, TICKS_PER_STEP
from helpers.policy_harness import overrides
from helpers.ros_graph import Graph
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import conversion, qos
from lbm_policy_node.ros.executor.chunk_executor_node import ChunkExecutorNode
from lbm_policy_node.ros.process import autostart

STEP_NS = TICK_NS * TICKS_PER_STEP
NAMES = ("x", "y", "z", "gripper")


def add_executor_node(graph: Graph, spec: Path, **parameters: Any) -> ChunkExecutorNode:
    """Start a chunk executor node in the graph."""
    node = ChunkExecutorNode(parameter_overrides=overrides(robot=str(spec), **parameters))
    graph.add(node)
    if node.config.autostart:
        autostart(node)
    return node


class ControlWatcher:
    """Watches ControlState, and makes each tick of the graph wait for the executor's."""

    def __init__(self, graph: Graph, *, lock_step: bool = True) -> None:
        """Subscribe; with lock_step, wait for the executor's first tick."""
        self.graph, self.node = graph, Node("control_watcher")
        self.states: list[ControlState] = []
        self._health: dict[str, DiagnosticStatus] = {}
        self.node.create_subscription(ControlState, "/control_state", self.states.append, qos.CONTROL_STATE)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_health, qos.DIAGNOSTICS)
        graph.add(self.node)
        if lock_step:
            graph.step_until(lambda: self.states, "the first ControlState")
            graph.lock_step.append(self.answered)
            graph.step(2 * TICKS_PER_STEP)

    @property
    def state(self) -> ControlState:
        """The newest ControlState."""
        return self.states[-1]

    def newest_health(self, node: str) -> DiagnosticStatus | None:
        """What a node last said about itself; None if nothing yet."""
        return self._health.get(f"/{node}")

    def health(self, node: str) -> DiagnosticStatus:
        """What a node last said about itself."""
        return self._health[f"/{node}"]

    def _on_health(self, message: DiagnosticArray) -> None:
        self._health |= {status.name: status for status in message.status}

    def in_mode(self, mode: int, code: int | None = None) -> bool:
        """Whether the newest ControlState says this."""
        return bool(self.states) and self.state.mode == mode and code in (None, self.state.reason.code)

    def answered(self) -> bool:
        """Whether the executor has ticked at the present time, and its command, if any, has arrived."""
        if not self.states or to_ns(self.state.header.stamp) != self.graph.robot.now_ns:
            return False
        return self.command_has_arrived()

    def command_has_arrived(self) -> bool:
        """Whether the robot has the command of the newest ControlState."""
        state, targets = self.state, self.graph.robot.targets
        if not state.control_enabled or not state.executed:
            return True
        return bool(targets) and targets[-1].header.stamp == state.header.stamp


class Conductor(ControlWatcher):
    """Plays the policy, the monitor and the operator."""

    def __init__(self, graph: Graph) -> None:
        """Create the topics and wait until the executor hears them."""
        super().__init__(graph)
        self.chunk_id = 0
        self._chunks = self.node.create_publisher(ActionChunkMessage, "/action_chunks", qos.CHUNK)
        self._status = self.node.create_publisher(PolicyStatus, "/policy_node/status", qos.STATUS)
        self._verdicts = self.node.create_publisher(MonitorVerdict, "/monitor_verdicts", qos.VERDICT)
        self._estop = self.node.create_publisher(Bool, "/estop", qos.EVENT)
        self._reset = self.node.create_client(ResetEstop, "/reset_estop")
        for publisher in (self._chunks, self._status, self._verdicts, self._estop):
            graph.spin_until(lambda p=publisher: p.get_subscription_count() > 0, publisher.topic_name)
        # Beside the subscription that matches every publisher, the one that confirms what it received.
        graph.spin_until(lambda: self._estop.get_subscription_count() > 1, "the reliable subscription")

    def status(self, state: int, code: int = 0, text: str = "") -> None:
        """Say what the policy is doing."""
        message = PolicyStatus(state=state)
        message.reason.code, message.reason.text = code, text
        self.graph.send(self._status, message)

    def chunk(self, *, rows: int = 16, change: Any = None, speed: float = 0.2) -> ActionChunk:
        """Publish a chunk that moves along x from where the robot is."""
        robot = self.graph.robot
        self.chunk_id += 1
        actions = np.tile([*robot.position, 0.5], (rows, 1))
        actions[:, 0] += speed * 0.05 * (1 + np.arange(rows))
        if change is not None:
            change(actions)
        samples = actions[None]
        chunk = make_chunk(samples=samples, chunk_id=self.chunk_id, observation_stamp_ns=robot.now_ns)
        self.graph.send(self._chunks, conversion.chunk_message(chunk, frame_id="base"))
        return chunk

    def estop(self, pressed: bool) -> None:
        """Press or release the stop button."""
        self.graph.send(self._estop, Bool(data=pressed))

    def reset_estop(self) -> Any:
        """Call the service."""
        return self.graph.call(self._reset, ResetEstop.Request())

    def verdict(self, level: int, **changes: Any) -> None:
        """Speak as the monitor."""
        figures = {"chunk_id": self.chunk_id, "score": 2.0, "statistic": 7.5, "stop_threshold": 5.0}
        values = {"monitor": "mmd_floored", "text": "inconsistent", **figures, **changes}
        self.graph.send(self._verdicts, MonitorVerdict(level=level, **values))

    def drive(self) -> ActionChunk:
        """Start a run and execute half a chunk."""
        self.status(PolicyStatus.RUNNING)
        chunk = self.chunk()
        self.graph.step(8)
        assert self.in_mode(ControlState.POLICY), self.state
        return chunk
