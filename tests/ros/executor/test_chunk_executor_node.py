# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Over real topics: nothing moves unless everything says so, and every hold says why."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lbm_msgs.msg import ControlState, MonitorVerdict, PolicyStatus, Reason
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy as Durability
from rclpy.qos import QoSProfile
from rclpy.qos import QoSReliabilityPolicy as Reliability
from std_msgs.msg import Bool

from helpers.executor_harness import Conductor, ControlWatcher, add_executor_node
from helpers.fake_robot import SPEC, TICK_NS, FakeRobot
from helpers.ros_graph import Graph
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.clock_watch import NO_CLOCK


@pytest.fixture
def conductor(graph: Graph, spec_file: Path) -> Conductor:
    add_executor_node(graph, spec_file, enable_control=True)
    return Conductor(graph)


def assert_nothing_is_sent(conductor: Conductor, ticks: int = 40) -> None:
    robot: FakeRobot = conductor.graph.robot
    before = len(robot.targets), len(robot.gripper_commands)
    conductor.graph.step(ticks)
    assert (len(robot.targets), len(robot.gripper_commands)) == before


def assert_at_rest(conductor: Conductor) -> None:
    position = list(conductor.graph.robot.position)
    conductor.graph.step(80)
    assert conductor.graph.robot.position == pytest.approx(position, abs=1e-9)


def test_the_first_start_moves_nothing(conductor):
    assert_nothing_is_sent(conductor)
    assert conductor.in_mode(ControlState.HOLD)


def test_one_state_per_tick_and_commands_follow_the_chunk(conductor):
    robot = conductor.graph.robot
    conductor.status(PolicyStatus.RUNNING)
    chunk = conductor.chunk()
    conductor.states.clear()
    conductor.graph.step(24)
    stamps = [to_ns(state.header.stamp) for state in conductor.states]
    assert [b - a for a, b in pairwise(stamps)] == [TICK_NS] * 23
    due = (robot.now_ns - chunk.start_ns) / chunk.step_ns
    expected = chunk.actions[0, 0] + due * 0.2 * 0.05
    assert robot.position[0] == pytest.approx(expected, abs=1e-6)
    assert robot.targets[-1].header.frame_id == "base"
    assert robot.gripper_commands[-1] == 0.5
    assert conductor.state.chunk_id == 1 and conductor.state.control_enabled
    assert list(conductor.state.executed) == pytest.approx([expected, 0.0, 0.2, 0.5], abs=1e-6)


def test_shadow_mode_is_the_default_and_sends_nothing(graph, spec_file):
    node = add_executor_node(graph, spec_file)
    conductor = Conductor(graph)
    conductor.drive()
    assert_nothing_is_sent(conductor, 4)
    assert len(conductor.state.executed) == 4 and not conductor.state.control_enabled
    assert node.count_publishers("/target_pose") == 0 and node.count_publishers("/gripper") == 0


def test_when_the_chunks_end_it_decelerates_to_hold_and_says_why(conductor):
    chunk = conductor.drive()
    conductor.graph.step_until(lambda: conductor.in_mode(ControlState.HOLD), "hold", max_ticks=80)
    assert conductor.state.reason.code == Reason.CHUNK_STALE and "chunk 1" in conductor.state.reason.text
    assert to_ns(conductor.state.header.stamp) <= chunk.end_ns + 2 * TICK_NS
    conductor.graph.step(20)
    assert_at_rest(conductor)
    conductor.chunk()
    conductor.graph.step(4)
    assert conductor.in_mode(ControlState.POLICY)


@pytest.mark.parametrize("state", [PolicyStatus.IDLE, PolicyStatus.ERROR, PolicyStatus.UNCONFIGURED])
def test_a_policy_that_stops_running_means_hold_with_its_reason(conductor, state):
    conductor.drive()
    conductor.status(state, Reason.DEACTIVATED, "switched off")
    conductor.graph.step()
    assert conductor.in_mode(ControlState.HOLD, Reason.DEACTIVATED)
    assert conductor.state.reason.text == "switched off"
    conductor.graph.step(20)
    assert_at_rest(conductor)


def test_chunks_without_a_running_policy_move_nothing(conductor):
    conductor.chunk()
    assert_nothing_is_sent(conductor)
    conductor.status(PolicyStatus.IDLE)
    conductor.chunk()
    assert_nothing_is_sent(conductor)


def test_a_blocked_policy_may_finish_its_chunk(conductor):
    conductor.drive()
    conductor.status(PolicyStatus.BLOCKED, Reason.OBSERVATION_STALE, "'front' is old")
    conductor.graph.step(4)
    assert conductor.in_mode(ControlState.POLICY)
    conductor.graph.step_until(lambda: conductor.in_mode(ControlState.HOLD), "hold", max_ticks=80)
    assert conductor.state.reason.code == Reason.OBSERVATION_STALE


def test_the_estop_is_latched_until_it_is_reset(conductor):
    conductor.drive()
    conductor.estop(True)
    conductor.graph.step(2)
    assert conductor.in_mode(ControlState.STOPPED, Reason.E_STOP)
    assert_at_rest(conductor)
    assert conductor.reset_estop().error_code == Reason.ESTOP_STILL_PRESSED
    conductor.estop(False)
    conductor.chunk()
    conductor.graph.step(8)
    assert conductor.in_mode(ControlState.STOPPED, Reason.E_STOP)
    assert conductor.reset_estop().error_code == Reason.OK
    conductor.chunk()
    conductor.graph.step(8)
    assert conductor.in_mode(ControlState.HOLD)  # never straight to motion
    conductor.status(PolicyStatus.IDLE)
    conductor.drive()


def test_an_estop_pressed_before_the_start_stops(graph, spec_file):
    button = graph.robot.create_publisher(Bool, "/estop", qos.STATUS)
    button.publish(Bool(data=True))
    add_executor_node(graph, spec_file, enable_control=True)
    conductor = Conductor(graph)
    graph.spin_until(lambda: button.get_subscription_count() >= 2, "the latched subscription")
    graph.step_until(lambda: conductor.in_mode(ControlState.STOPPED), "STOPPED", max_ticks=40)


def test_the_monitors_alarm_holds_until_a_new_goal(conductor):
    conductor.drive()
    conductor.verdict(MonitorVerdict.WARN)
    conductor.graph.step()
    assert conductor.in_mode(ControlState.POLICY)
    conductor.verdict(MonitorVerdict.STOP)
    conductor.graph.step()
    assert conductor.in_mode(ControlState.HOLD, Reason.MONITOR_STOP)
    text = conductor.state.reason.text
    assert text == (
        "mmd_floored: inconsistent (chunk 1, score 2, statistic 7.5 above 5); the operator should take over"
    )
    conductor.chunk()
    conductor.graph.step(8)
    assert conductor.in_mode(ControlState.HOLD, Reason.MONITOR_STOP)
    conductor.status(PolicyStatus.IDLE)
    conductor.drive()


def test_the_monitor_only_warns_when_configured_so(graph, spec_file):
    add_executor_node(graph, spec_file, enable_control=True, monitor_stop="warn")
    conductor = Conductor(graph)
    conductor.drive()
    conductor.verdict(MonitorVerdict.STOP)
    conductor.graph.step(2)
    assert conductor.in_mode(ControlState.POLICY)

    def said() -> bool:
        return "the operator should take over" in conductor.health("chunk_executor_node").message

    graph.step_until(said, "the alarm on /diagnostics")
    assert conductor.health("chunk_executor_node").level == DiagnosticStatus.WARN
    conductor.verdict(MonitorVerdict.NORMAL)
    graph.step_until(lambda: not said(), "the end of the alarm")


def test_a_stop_without_figures_is_reported_without_figures(conductor):
    conductor.drive()
    conductor.verdict(MonitorVerdict.STOP, monitor="vlm", score=math.nan, statistic=math.nan)
    conductor.graph.step()
    assert "vlm: inconsistent (chunk 1); the operator" in conductor.state.reason.text


def _set(row: int, column: int, value: float):
    def change(actions) -> None:
        actions[row, column] = value

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set(5, 0, math.nan), Reason.CHUNK_NON_FINITE),
        (_set(5, 2, 1.5), Reason.POSITION_LIMIT),
        (_set(5, 1, 0.3), Reason.VELOCITY_LIMIT),
    ],
)
def test_a_chunk_that_breaks_a_limit_is_refused_whole_with_its_reason(conductor, change, code):
    conductor.status(PolicyStatus.RUNNING)
    conductor.chunk(change=change)
    assert_nothing_is_sent(conductor)
    assert conductor.in_mode(ControlState.HOLD, code)


def test_lost_feedback_holds_and_its_return_resumes(conductor):
    conductor.drive()
    conductor.graph.robot.change["ee_pose"] = lambda message: None
    conductor.graph.step_until(
        lambda: conductor.in_mode(ControlState.HOLD, Reason.FEEDBACK_MISSING), "hold", max_ticks=40
    )
    del conductor.graph.robot.change["ee_pose"]
    conductor.graph.step(20)
    conductor.drive()


def test_a_clock_that_jumps_back_drops_the_plan(conductor):
    conductor.drive()
    conductor.graph.jump(-50.0)
    conductor.graph.step(4)
    assert conductor.in_mode(ControlState.HOLD)
    conductor.graph.step(20)
    assert_at_rest(conductor)
    conductor.drive()


def test_deactivation_holds_and_ends_the_commands(conductor, graph, spec_file):
    node = next(n for n in graph.executor.get_nodes() if n.get_name() == "chunk_executor_node")
    conductor.drive()
    graph.lock_step.remove(conductor.answered)
    robot = graph.robot
    graph.spin_until(lambda: len(robot.gripper_commands) == len(robot.targets), "the last tick's commands")
    sent = len(robot.targets)
    node.trigger_deactivate()
    graph.spin_until(lambda: conductor.in_mode(ControlState.HOLD, Reason.DEACTIVATED), "hold")
    graph.spin_until(lambda: len(robot.targets) == len(robot.gripper_commands) == sent + 1, "the halt")
    assert_nothing_is_sent(conductor)


def test_a_spec_that_is_refused_leaves_the_node_unconfigured(graph, tmp_path):
    spec = tmp_path / "bad.yaml"
    spec.write_text(SPEC.replace("name: fake", "name: fake\ncolour: red"), encoding="utf-8")
    node = add_executor_node(graph, spec)
    assert node._state_machine.current_state[1] == "unconfigured"
    spec.write_text(SPEC, encoding="utf-8")
    node.trigger_configure()
    assert node._state_machine.current_state[1] == "inactive"


@pytest.mark.parametrize(
    "durability", [Durability.VOLATILE, Durability.TRANSIENT_LOCAL], ids=lambda d: d.name
)
@pytest.mark.parametrize("reliability", [Reliability.RELIABLE, Reliability.BEST_EFFORT], ids=lambda r: r.name)
def test_the_estop_is_heard_from_every_kind_of_publisher_without_a_warning(
    graph, spec_file, reliability, durability
):
    mismatches: list[object] = []
    device = Node("safety_device")
    graph.add(device)
    button = device.create_publisher(
        Bool,
        "/estop",
        QoSProfile(depth=1, reliability=reliability, durability=durability),
        event_callbacks=PublisherEventCallbacks(incompatible_qos=mismatches.append),
    )
    add_executor_node(graph, spec_file, enable_control=True)
    watcher = ControlWatcher(graph)
    graph.spin_until(lambda: button.get_subscription_count() > 0, "the subscription")
    button.publish(Bool(data=True))
    graph.spin_until(lambda: watcher.in_mode(ControlState.STOPPED) or graph.step(), "STOPPED")
    reliable = reliability is Reliability.RELIABLE
    graph.spin_until(lambda: button.get_subscription_count() == 1 + reliable, "all subscriptions")
    graph.settle()
    assert not mismatches


def test_a_stop_that_the_robot_does_not_obey_is_said_and_repeated_until_it_stands(conductor):
    conductor.drive()
    robot = conductor.graph.robot
    runaway = [0.0]

    def move_on(pose):
        runaway[0] = min(runaway[0] + 0.1 * TICK_NS * 1e-9, 0.2)
        pose.pose.position.x += runaway[0]
        return pose

    robot.change["ee_pose"] = move_on
    conductor.estop(True)
    code = int(ReasonCode.STOP_NOT_OBEYED)
    ticks = conductor.graph.step_until(
        lambda: conductor.in_mode(ControlState.STOPPED, code), "STOP_NOT_OBEYED", max_ticks=160
    )
    assert ticks * TICK_NS >= 1_000_000_000 - 2 * TICK_NS
    assert "x still moves at 0.1/s" in conductor.state.reason.text
    sent = len(robot.targets)
    conductor.graph.step(8)
    assert len(robot.targets) == sent + 8

    def says_error() -> bool:
        status = conductor.health("chunk_executor_node")
        return status.level == DiagnosticStatus.ERROR and "STOP_NOT_OBEYED" in status.message

    conductor.graph.spin_until(says_error, "the error on /diagnostics")
    conductor.graph.step_until(
        lambda: conductor.in_mode(ControlState.STOPPED, Reason.E_STOP), "the robot to stand", max_ticks=160
    )
    assert_nothing_is_sent(conductor)


def test_simulated_time_that_does_not_begin_is_said(graph, spec_file):
    graph.robot.destroy_publisher(graph.robot._clock_publisher)
    node = add_executor_node(graph, spec_file, enable_control=True, use_sim_time=True)
    assert node.get_clock().now().nanoseconds == 0
    watcher = ControlWatcher(graph, lock_step=False)

    def says_it() -> bool:
        status = watcher.newest_health("chunk_executor_node")
        return status is not None and status.message == NO_CLOCK and status.level == DiagnosticStatus.ERROR

    graph.spin_until(says_it, "the reason on /diagnostics")
