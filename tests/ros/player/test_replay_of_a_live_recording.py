# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulator, shipped policy, monitor, executor and recorder run live; the bag replays to the same chunks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from lbm_msgs.msg import Reason, RecorderStatus
from lbm_msgs.srv import ResetSimulation
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown
from safetensors.numpy import load_file, save_file

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.lock_step_robot import LockStepRobot
from helpers.monitor_harness import add_monitor_node
from helpers.policy_harness import PolicyUser, add_policy_node
from helpers.recorder_harness import add_recorder_node
from helpers.ros_graph import Graph
from lbm_policy_node.graph.monitor_choice import ON, choose_monitor
from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.paths import shared_path
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.limits import Limits, judge
from lbm_policy_node.replay.report import ReplayReport
from lbm_policy_node.replay.run import replay
from lbm_policy_node.ros import qos
from lbm_policy_node.sim.robot import CONTROL_RATE_HZ

TASK, SEED, RUN_S = "drawer-open", 5, 3.0
SPEC, CHECKPOINT = shared_path("config/robots/metaworld.yaml"), shared_path("checkpoints/mt10")


@pytest.fixture(scope="module")
def recording(ros_domain: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An episode of three simulated seconds, through real topics."""
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    graph = Graph(LockStepRobot(task=TASK))
    try:
        yield record(graph, tmp_path_factory.mktemp("live") / "episodes")
    finally:
        graph.close()
        try_shutdown()


def record(graph: Graph, folder: Path) -> Path:
    """Run the whole graph and return the episode's folder."""
    add_executor_node(graph, SPEC, enable_control=True)
    asked = choose_monitor(ON, CHECKPOINT)
    parameters = {
        "n_samples": asked.n_samples,
        "replan_steps": asked.execution_horizon,
        "send_embedding": asked.send_embedding,
    }
    add_policy_node(graph, SPEC, CHECKPOINT, **parameters)
    add_monitor_node(graph, SPEC, checkpoint=str(CHECKPOINT))
    add_recorder_node(graph, SPEC, folder)
    ControlWatcher(graph)
    user, statuses = PolicyUser(graph), list[RecorderStatus]()
    node = user.node
    node.create_subscription(RecorderStatus, "/recorder_node/status", statuses.append, qos.STATUS)
    graph.spin_until(lambda: statuses and node.count_publishers("/monitor_verdicts"), "recorder and monitor")
    reset = node.create_client(ResetSimulation, "/sim/reset")
    answer = graph.call(reset, ResetSimulation.Request(task=TASK, seed=SEED))
    assert answer.error_code == Reason.OK, answer.error_msg
    graph.step(8)
    assert user.start(answer.instruction).error_code == Reason.OK
    graph.step(round(RUN_S * CONTROL_RATE_HZ))
    user.cancel()
    graph.spin_until(lambda: statuses[-1].state == RecorderStatus.IDLE and statuses[-1].n_messages, "the end")
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def same(recording: Path) -> ReplayReport:
    return replay(recording, Candidate.load(CHECKPOINT))


def test_the_same_checkpoint_reproduces_the_chunks_within_1e_4(same):
    assert same.same_checkpoint and len(same.chunks) >= 5
    assert len(same.chunks) + sum(lost.before for lost in same.lost) == same.n_recorded
    assert same.largest_difference <= 1e-4
    assert judge(same, Limits(no_new_alarms=True)).passed


def test_the_monitor_says_what_it_said_live(same):
    assert same.calibration_id == same.recorded_calibration_id
    pairs = [(chunk.verdict, chunk.recorded_verdict) for chunk in same.chunks]
    both = [(now, live) for now, live in pairs if now is not None and live is not None]
    assert len(both) == len(pairs)
    assert [now.level for now, _ in both] == [live.level for _, live in both]
    assert Level.NORMAL in {now.level for now, _ in both}
    np.testing.assert_allclose(
        [now.statistic for now, _ in both], [live.statistic for _, live in both], atol=1e-3
    )


def test_perturbed_weights_fail(recording, tmp_path):
    perturbed = tmp_path / "perturbed"
    shutil.copytree(CHECKPOINT, perturbed)
    weights = load_file(perturbed / "model.safetensors")
    name = max((n for n, w in weights.items() if w.ndim == 2), key=lambda n: weights[n].size)
    noise = np.random.default_rng(0).normal(size=weights[name].shape) * weights[name].std()
    weights[name] = (weights[name] + 0.05 * noise).astype(weights[name].dtype)
    save_file(weights, perturbed / "model.safetensors", metadata={"format": "pt"})
    report = replay(recording, Candidate.load(perturbed))
    assert not report.same_checkpoint
    (reason,) = judge(report, Limits(tolerance=1e-4)).reasons
    assert "chunks differ by more than 0.0001" in reason
