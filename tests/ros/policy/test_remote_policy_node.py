# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy node whose policy another process serves: held while that is away, then on as before."""

import json
from pathlib import Path
from typing import Any

import pytest
from lbm_msgs.msg import ControlState, PolicyStatus, Reason

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.fake_robot import TICKS_PER_STEP
from helpers.odd_servers import array, openpi_server, websocket_server
from helpers.policy_harness import PolicyUser, add_policy_node, make_checkpoint
from helpers.ros_graph import Graph
from helpers.serve_process import ServeProcess
from lbm_policy_node.core.reasons import ReasonCode

MAX_FAILURES = 3
AWAY_TICKS = 60
MANY_TICKS = 100_000
"""Ticks pass faster than the seconds in which a connection is tried again."""
OPENPI = {
    "images": {"observation/image": {"key": "observation.images.front", "height": 16, "width": 16}},
    "state": {"observation/state": 4},
    "action_dim": 4,
    "horizon": 16,
    "n_action_steps": 4,
    "step_s": 0.05,
}


def start_run(graph: Graph, spec_file: Path, checkpoint: Path | str, **parameters: Any) -> PolicyUser:
    add_policy_node(graph, spec_file, checkpoint, max_failures=MAX_FAILURES, **parameters)
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")
    graph.step(2 * TICKS_PER_STEP)
    assert user.start().error_code == Reason.OK
    return user


def test_a_killed_server_holds_the_robot_with_the_reason_and_its_restart_resumes_the_run(
    graph, spec_file, tmp_path
):
    with ServeProcess(make_checkpoint(tmp_path / "checkpoint")) as server:
        add_executor_node(graph, spec_file, enable_control=True)
        watcher = ControlWatcher(graph, lock_step=False)
        user = start_run(graph, spec_file, server.url)
        user.run_until_chunks(3)
        graph.step_until(lambda: watcher.in_mode(ControlState.POLICY), "the robot to move")

        server.kill()
        graph.step_until(
            lambda: watcher.in_mode(ControlState.HOLD, ReasonCode.POLICY_UNAVAILABLE),
            "HOLD with the server's absence",
        )
        assert server.url in watcher.state.reason.text
        graph.step(AWAY_TICKS)
        assert watcher.in_mode(ControlState.HOLD) and user.in_state(
            PolicyStatus.BLOCKED, ReasonCode.POLICY_UNAVAILABLE
        )
        assert "not available" in user.status.reason.text
        assert user.status.n_blocked > MAX_FAILURES and user.status.n_failed == 0

        before = len(user.chunks)
        server.start()
        graph.step_until(lambda: len(user.chunks) > before, "a chunk after the restart", max_ticks=MANY_TICKS)
        graph.step_until(lambda: watcher.in_mode(ControlState.POLICY), "the robot to move again")
        assert user.in_state(PolicyStatus.RUNNING, Reason.OK)
        assert user.chunks[-1].instruction == "open the door"


def test_a_server_that_is_not_there_is_refused_at_configure_with_a_remedy(graph, spec_file, tmp_path):
    config = {"type": "remote", "url": "ws://127.0.0.1:1", "connect_timeout_s": 0.1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    add_policy_node(graph, spec_file, tmp_path)
    user = PolicyUser(graph)
    graph.spin_until(
        lambda: user.in_state(PolicyStatus.UNCONFIGURED, Reason.CHECKPOINT_REFUSED),
        "the refusal on the status",
    )
    assert "lbm serve" in user.status.reason.text and "ws://127.0.0.1:1" in user.status.reason.text


def test_a_served_policy_that_does_not_fit_the_robot_is_refused(graph, spec_file, tmp_path):
    checkpoint = make_checkpoint(tmp_path / "checkpoint", cameras=("front", "top"))
    with ServeProcess(checkpoint) as server:
        add_policy_node(graph, spec_file, server.url)
        user = PolicyUser(graph)
        graph.spin_until(
            lambda: user.in_state(PolicyStatus.UNCONFIGURED, Reason.CHECKPOINT_REFUSED), "the refusal"
        )
        assert "observation.images.top" in user.status.reason.text


@pytest.mark.parametrize(
    ("spoilt", "code", "named"),
    [
        ({"actions": array([[float("nan")] * 4] * 16)}, Reason.INFERENCE_NON_FINITE, "NaN"),
        ({"actions": array([[0.0] * 7] * 16)}, Reason.INFERENCE_FAILED, "(16, 7); expected (16, 4)"),
        ("CUDA out of memory", Reason.INFERENCE_FAILED, "CUDA out of memory"),
    ],
)
def test_a_server_that_answers_nonsense_blocks_with_the_reason_and_recovers(
    graph, spec_file, tmp_path, spoilt, code, named
):
    good = {"actions": array([[0.0, 0.0, 0.2, 0.5]] * 16)}
    replies: list[Any] = [good]
    with websocket_server(openpi_server(lambda _: replies[0])) as url:
        (tmp_path / "config.json").write_text(json.dumps({"type": "remote", "url": url, "openpi": OPENPI}))
        user = start_run(graph, spec_file, tmp_path)
        user.run_until_chunks(1)
        replies[0] = spoilt
        graph.step_until(lambda: user.in_state(PolicyStatus.BLOCKED, code), "BLOCKED")
        assert named in user.status.reason.text
        replies[0] = good
        user.run_until_chunks(3)
        graph.step_until(lambda: user.in_state(PolicyStatus.RUNNING, Reason.OK), "RUNNING again")
        replies[0] = spoilt
        graph.step_until(lambda: user.in_state(PolicyStatus.IDLE), "the end of the run")
        assert user.status.n_failed >= MAX_FAILURES and named in user.status.reason.text
