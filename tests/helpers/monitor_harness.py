# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A monitor node fed with chunks, and a calibration made of the same kind of chunks."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import ControlState, MonitorVerdict
from rclpy.node import Node

from helpers.builders import make_chunk
from helpers.executor_harness import NAMES, STEP_NS
from helpers.fake_robot import SPEC, START_NS
from helpers.policy_harness import overrides
from helpers.ros_graph import Graph
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.graph.monitor_choice import CALIBRATION_FILE
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig, calibrate
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.ros import conversion, qos
from lbm_policy_node.ros.monitor.monitor_node import MonitorNode
from lbm_policy_node.ros.process import autostart

HORIZON, EXECUTED_STEPS, N_SAMPLES = 16, 4, 8
EPISODES, CHUNKS_PER_EPISODE = 60, 16
CHECKPOINT_ID = "0123456789abcdef"
START = (0.0, 0.0, 0.2)


def add_monitor_node(graph: Graph, spec: Path, **parameters: Any) -> MonitorNode:
    """Start a monitor node in the graph."""
    node = MonitorNode(parameter_overrides=overrides(robot=str(spec), **parameters))
    graph.add(node)
    if node.config.autostart:
        autostart(node)
    return node


def policy_chunk(
    index: int,
    *,
    seed: int = 0,
    start_ns: int = START_NS,
    torn: float = 0.0,
    n_samples: int = N_SAMPLES,
    chunk_id: int = 0,
) -> ActionChunk:
    """Return the chunk of a policy that moves slowly along x; row times decide, so that chunks agree.

    Args:
        index: Place in the run.
        seed: Of the run.
        start_ns: When the run began.
        torn: The samples jump by this, m, from one side to the other with each chunk, the last row most; what
            is executed stays as it was.
        n_samples: How many.
        chunk_id: Of the chunk; 0 numbers it by its index.
    """
    stamp_ns = start_ns + index * EXECUTED_STEPS * STEP_NS
    steps = index * EXECUTED_STEPS + 1 + np.arange(HORIZON)
    mean = np.tile([*START, 0.5], (HORIZON, 1))
    mean[:, 0] += 0.001 * steps
    noise = np.random.default_rng((seed, index)).normal(size=(n_samples, HORIZON, len(NAMES)))
    samples = mean + 0.002 * noise
    samples[:, :, 1] += (-1) ** index * torn * np.linspace(0.0, 1.0, HORIZON)
    return make_chunk(
        mean,
        samples=samples,
        chunk_id=chunk_id or index + 1,
        observation_stamp_ns=stamp_ns,
        checkpoint_id=CHECKPOINT_ID,
        instruction="move",
        stochastic=True,
        index=index,
        execution_horizon=EXECUTED_STEPS,
    )


def calibrate_monitor(folder: Path) -> Path:
    """Write the calibration of the policy above, of enough successes to arm STOP; returns the file."""
    episodes = []
    for number in range(EPISODES):
        chunks = tuple(policy_chunk(i, seed=1 + number) for i in range(CHUNKS_PER_EPISODE))
        end_ns = chunks[-1].observation_stamp_ns
        name = f"episode-{number}"
        episodes.append(
            ChunkEpisode(episode_id=name, task="move", success=True, success_ns=end_ns, chunks=chunks)
        )
    columns = ScoredColumns.from_spec(RobotSpec.from_mapping(yaml.safe_load(SPEC)).action)
    calibration = calibrate(
        episodes,
        CalibrationConfig(),
        columns=columns,
        scale=ActionScale.from_statistics(np.full(len(NAMES), 0.1), columns),
        checkpoint_id=CHECKPOINT_ID,
        source="monitor_harness",
        date="2026-01-01",
    )
    calibration.save(folder / CALIBRATION_FILE)
    return folder / CALIBRATION_FILE


class MonitorUser:
    """Plays the policy, and hears the monitor's verdicts."""

    def __init__(self, graph: Graph, *, listeners: int = 1) -> None:
        """Wait until the monitor and, with two listeners, the executor hear."""
        self.graph, self.node = graph, Node("monitor_user")
        self.verdicts: list[MonitorVerdict] = []
        self._chunks = self.node.create_publisher(ActionChunkMessage, "/action_chunks", qos.EVERY_CHUNK)
        self._controls = self.node.create_publisher(ControlState, "/control_state", qos.CONTROL_STATE)
        self.node.create_subscription(MonitorVerdict, "/monitor_verdicts", self.verdicts.append, qos.VERDICT)
        graph.add(self.node)
        graph.spin_until(lambda: self._chunks.get_subscription_count() >= listeners, "/action_chunks")
        graph.spin_until(lambda: self._controls.get_subscription_count() >= 1, "/control_state")
        graph.spin_until(lambda: self.node.count_publishers("/monitor_verdicts") >= 1, "/monitor_verdicts")

    @property
    def levels(self) -> list[int]:
        """Of every verdict so far."""
        return [verdict.level for verdict in self.verdicts]

    def send(self, message: ActionChunkMessage) -> None:
        """Publish a message as a chunk, without waiting for the verdict."""
        self._chunks.publish(message)

    def say(self, message: ActionChunkMessage) -> MonitorVerdict:
        """Publish a message as a chunk and return the verdict on it."""
        before = len(self.verdicts)
        self.send(message)
        self.graph.spin_until(lambda: len(self.verdicts) > before, "a verdict")
        self.graph.settle()
        return self.verdicts[-1]

    def judge(self, chunk: ActionChunk) -> MonitorVerdict:
        """Publish a chunk and return the verdict on it."""
        return self.say(conversion.chunk_message(chunk, frame_id="base"))

    def run(self, n_chunks: int, *, first: int = 0, **changes: Any) -> list[int]:
        """Publish successive chunks, the clock standing still; returns the levels of the verdicts on them."""
        return [self.judge(policy_chunk(first + i, **changes)).level for i in range(n_chunks)]

    def control(self, mode: int, code: int) -> None:
        """Speak as the executor."""
        state = ControlState(mode=mode)
        state.reason.code = code
        self.graph.send(self._controls, state)
