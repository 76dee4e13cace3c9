# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Policy, executor and robot together: motion, its end when the policy dies or leaves, and recovery."""

import signal
from pathlib import Path

import pytest
from lbm_msgs.msg import ControlState, PolicyStatus, Reason

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.fake_robot import TICK_NS, TICKS_PER_STEP
from helpers.node_process import NodeProcess
from helpers.policy_harness import EXECUTED_STEPS, PolicyUser, add_policy_node, make_checkpoint
from helpers.ros_graph import Graph
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.stamps import to_ns


def test_the_robot_moves_holds_when_a_camera_stops_and_goes_on_by_itself(graph, spec_file, tmp_path):
    add_executor_node(graph, spec_file, enable_control=True)
    add_policy_node(graph, spec_file, make_checkpoint(tmp_path / "checkpoint"))
    control, user = ControlWatcher(graph), PolicyUser(graph)
    start = list(graph.robot.position)
    assert user.start().error_code == Reason.OK
    user.run_until_chunks(3)
    assert control.in_mode(ControlState.POLICY) and graph.robot.position != start
    graph.robot.change["front"] = lambda message: None
    graph.step_until(lambda: control.in_mode(ControlState.HOLD), "hold", max_ticks=160)
    assert control.state.reason.code == Reason.OBSERVATION_STALE and "'front'" in control.state.reason.text
    graph.step(40)
    rest = list(graph.robot.position)
    graph.step(80)
    assert graph.robot.position == rest
    del graph.robot.change["front"]
    graph.step_until(lambda: control.in_mode(ControlState.POLICY), "motion again", max_ticks=80)
    user.cancel()
    graph.step_until(lambda: control.in_mode(ControlState.HOLD), "hold after the cancel", max_ticks=8)


class MovingGraph:
    """The executor in this process and the policy in another one, in the middle of a motion."""

    def __init__(self, graph: Graph, spec: Path) -> None:
        self.graph = graph
        add_executor_node(graph, spec, enable_control=True)
        self.control, self.user = ControlWatcher(graph), PolicyUser(graph)

    def move(self) -> None:
        """Start a run in the policy process and execute a few chunks, waiting for each."""
        graph, user = self.graph, self.user
        graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE, Reason.OK), "the policy process")
        graph.spin_until(graph.robot.is_seen, "subscriptions to the robot")
        graph.step(2 * TICKS_PER_STEP)
        while user.start().error_code == Reason.NOT_ACTIVE:  # its clock has not begun
            graph.step()
        while len(user.chunks) < 3:
            before = len(user.chunks)
            graph.step(EXECUTED_STEPS * TICKS_PER_STEP)
            self._wait_for_chunk(before)
        graph.step()
        assert self.control.in_mode(ControlState.POLICY), self.control.state

    def _wait_for_chunk(self, count: int) -> None:
        """Wait for the other process with the clock standing still."""
        for _ in range(60):
            if self.graph.wait(lambda: len(self.user.chunks) > count, seconds=0.5):
                return
            self.graph.robot.repeat()
        raise AssertionError(f"no chunk after {count}")


def test_killing_the_policy_mid_motion_holds_within_the_chunk_and_says_why(graph, spec_file, tmp_path):
    checkpoint = make_checkpoint(tmp_path / "checkpoint")
    parameters = {"robot": spec_file, "checkpoint": checkpoint, "use_sim_time": True}
    with NodeProcess("policy_node", tmp_path / "log", **parameters) as policy:
        moving = MovingGraph(graph, spec_file)
        moving.move()
        last = chunk_from_message(moving.user.chunks[-1])
        assert policy.end(signal.SIGKILL) == -signal.SIGKILL
        graph.step_until(lambda: moving.control.in_mode(ControlState.HOLD), "hold", max_ticks=160)
    state = moving.control.state
    assert state.reason.code == Reason.CHUNK_STALE and f"chunk {last.chunk_id}" in state.reason.text
    assert to_ns(state.header.stamp) <= last.end_ns + 2 * TICK_NS
    graph.step(40)
    rest = list(graph.robot.position)
    graph.step(80)
    assert graph.robot.position == rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_policy_that_is_reported_to_leave_says_so_and_leaves_cleanly(graph, spec_file, tmp_path, number):
    checkpoint = make_checkpoint(tmp_path / "checkpoint")
    parameters = {"robot": spec_file, "checkpoint": checkpoint, "use_sim_time": True}
    with NodeProcess("policy_node", tmp_path / "log", **parameters) as policy:
        moving = MovingGraph(graph, spec_file)
        moving.move()
        assert policy.end(number) == 0
        assert "Traceback" not in policy.output
        graph.spin_until(lambda: moving.user.status.reason.code == Reason.DEACTIVATED, "the farewell")
        graph.step(2)
        assert moving.control.in_mode(ControlState.HOLD, Reason.DEACTIVATED)


def test_an_executor_process_leaves_cleanly(graph, spec_file, tmp_path):
    with NodeProcess("chunk_executor_node", tmp_path / "log", robot=spec_file, use_sim_time=True) as executor:
        control = ControlWatcher(graph, lock_step=False)
        graph.step_until(lambda: control.states, "a ControlState", max_ticks=100_000)
        assert not control.state.control_enabled
        assert executor.end(signal.SIGTERM) == 0
        assert "Traceback" not in executor.output and "shadow mode" in executor.output


@pytest.mark.parametrize("module", ["policy_node", "chunk_executor_node"])
def test_an_unknown_parameter_ends_the_process_with_its_name(ros_domain, tmp_path, module):
    with NodeProcess(module, tmp_path / "log", enable_contol=True) as process:
        assert process.end() == 2
        assert "enable_contol" in process.output and "Traceback" not in process.output
