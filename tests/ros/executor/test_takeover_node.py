# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Over real topics: the operator takes the robot, hands it back, and hears why a press is not followed."""

from itertools import pairwise
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from lbm_msgs.msg import ControlState, EpisodeEvent, PolicyStatus, Reason

from helpers.fake_robot import TICK_NS
from helpers.ros_graph import Graph
from helpers.takeover_harness import DEAD_MAN, ESTOP, RESUME, SECOND_DEAD_MAN, SUCCESS, Operator
from lbm_policy_node.messages.stamps import to_ns

HUMAN, HOLD, POLICY, STOPPED = (
    ControlState.HUMAN,
    ControlState.HOLD,
    ControlState.POLICY,
    ControlState.STOPPED,
)
TAKEOVER, HANDBACK, RESUMED = EpisodeEvent.TAKEOVER, EpisodeEvent.HANDBACK, EpisodeEvent.RESUMED
RELEASE_TICKS = 42
"""A little more than the hysteresis of 0.5 s."""


@pytest.fixture
def operator(graph: Graph, tmp_path: Path) -> Operator:
    return Operator(graph, tmp_path)


def assert_no_jump(operator: Operator) -> None:
    """Every step between consecutive ticks that sent something keeps the speed limit of 1.5 m/s."""
    for before, after in pairwise(operator.states):
        if before.executed and after.executed:
            step_s = (to_ns(after.header.stamp) - to_ns(before.header.stamp)) * 1e-9
            steps = [abs(b - a) for a, b in zip(before.executed[:3], after.executed[:3], strict=True)]
            assert max(steps) <= 1.5 * step_s + 1e-9


def test_press_drives_release_holds_and_resume_lets_the_policy_go_on(operator):
    operator.drive()
    state = operator.take_over(x=1.0)
    assert (state.mode, state.source, state.reason.code) == (HUMAN, "gamepad", Reason.HUMAN_CONTROL)
    x = operator.graph.robot.position[0]
    operator.hold(80, DEAD_MAN, x=1.0)
    assert operator.graph.robot.position[0] - x == pytest.approx(0.4, abs=0.06)
    assert operator.hold(RELEASE_TICKS - 4).mode == HUMAN
    state = operator.hold(6)
    assert (state.mode, state.source, state.reason.code) == (HOLD, "", Reason.HUMAN_CONTROL)
    operator.chunk()
    assert operator.hold(8).mode == HOLD
    assert operator.resume().error_code == Reason.OK
    assert operator.hold(2).mode == POLICY
    operator.expect_events((TAKEOVER, "gamepad"), (HANDBACK, "gamepad"), (RESUMED, "resume"))
    took, gave, _ = operator.events
    assert took.text == "from POLICY: OK" and gave.text == "released"
    human = [to_ns(state.header.stamp) for state in operator.states if state.mode == HUMAN]
    assert to_ns(took.header.stamp) == human[0] and to_ns(gave.header.stamp) == human[-1] + TICK_NS
    assert_no_jump(operator)


def test_the_policys_wish_is_shown_while_the_operator_drives_and_its_chunk_is_not_executed_later(operator):
    operator.drive()
    operator.take_over(x=-1.0)
    operator.hold(4, DEAD_MAN, x=-1.0)
    chunk = operator.chunk(speed=0.4)
    state = operator.hold(8, DEAD_MAN, x=-1.0)
    assert state.chunk_id == chunk.chunk_id and state.proposed[0] > state.executed[0]
    operator.hold(RELEASE_TICKS)
    operator.resume()
    state = operator.hold(4)
    assert (state.mode, state.reason.code) == (HOLD, Reason.NO_CHUNK) and not state.proposed


def test_after_takeover_resume_the_policy_goes_on_by_itself(graph, tmp_path):
    operator = Operator(graph, tmp_path, after_takeover="resume")
    operator.drive()
    operator.take_over(x=1.0)
    operator.hold(10, DEAD_MAN, x=1.0)
    operator.hold(RELEASE_TICKS)
    operator.chunk()
    assert operator.hold(2).mode == POLICY
    operator.expect_events((TAKEOVER, "gamepad"), (HANDBACK, "gamepad"), (RESUMED, "gamepad"))
    assert_no_jump(operator)


def test_a_gamepad_that_falls_silent_pauses_and_never_resumes(graph, tmp_path):
    operator = Operator(graph, tmp_path, after_takeover="resume")
    operator.drive()
    operator.take_over(x=1.0)
    operator.hold(10, DEAD_MAN, x=1.0)
    graph.step(22)
    assert (
        operator.in_mode(HOLD, Reason.HUMAN_CONTROL)
        and "the dead-man switch's newest sample" in operator.text
    )
    operator.chunk()
    assert operator.hold(8, DEAD_MAN).mode == HOLD  # held all the time: it takes a fresh press
    operator.expect_events((TAKEOVER, "gamepad"), (HANDBACK, "gamepad"))
    assert "OBSERVATION_STALE" in operator.events[-1].text
    assert operator.take_over().mode == HUMAN
    assert_no_jump(operator)


def test_two_sources_at_once_the_first_of_the_spec_drives_and_the_other_is_reported(operator):
    operator.drive()
    for pressed in (False, True):
        operator.twist(0.1)
        operator.pedal("/pedal", pressed)
    operator.joy()
    operator.graph.step()
    assert operator.state.source == "stick"
    operator.twist(0.1)
    operator.pedal("/pedal", True)
    state = operator.hold(1, DEAD_MAN)
    assert state.source == "gamepad" and "stick is pressed, too; gamepad comes first" in operator.text
    operator.expect_events((TAKEOVER, "stick"), (HANDBACK, "stick"), (TAKEOVER, "gamepad"))
    assert operator.events[1].text == "'gamepad' comes first"


def test_a_joy_with_too_few_axes_is_reported_and_holds(operator):
    operator.drive()
    operator.joy(axes=0)
    operator.joy(DEAD_MAN, axes=0)
    operator.graph.step()
    assert operator.in_mode(HOLD, Reason.HUMAN_CONTROL)
    assert "gamepad: the spec maps axis 0, /joy has 0 axes" in operator.text
    operator.graph.step_until(
        lambda: "teleop gamepad, motion" in values(operator), "the fault on /diagnostics"
    )
    assert operator.health("chunk_executor_node").level == DiagnosticStatus.WARN
    assert operator.take_over().mode == HUMAN
    operator.graph.step_until(lambda: "teleop gamepad, motion" not in values(operator), "the fault's end")


def values(operator: Operator) -> dict[str, str]:
    return {pair.key: pair.value for pair in operator.health("chunk_executor_node").values}


def test_a_joy_with_too_few_buttons_is_reported_but_its_stop_button_still_stops(operator):
    operator.drive()
    operator.joy(buttons=3)
    operator.graph.step()
    assert operator.in_mode(POLICY) and "gamepad: the spec maps button 4, /joy has 3 buttons" in operator.text
    operator.joy(ESTOP, buttons=3)
    operator.graph.step()
    assert operator.in_mode(STOPPED, Reason.E_STOP)


def test_a_stick_in_an_unknown_frame_is_reported_and_its_press_holds(operator):
    operator.drive()
    for pressed in (False, True):
        operator.twist(0.1, frame="camera")
        operator.pedal("/pedal", pressed)
    operator.graph.step()
    assert operator.in_mode(HOLD, Reason.HUMAN_CONTROL)
    assert "stick: /twist is in frame 'camera', the spec expects 'base'" in operator.text


def test_a_jump_of_the_leader_is_reported_and_pauses_when_it_lasts(operator):
    operator.drive()
    gripper = operator.graph.robot.gripper_commands
    for pressed in (False, True):
        operator.leader(0.0)
        operator.pedal("/leader_pedal", pressed)
    operator.graph.step()
    assert operator.state.source == "leader"
    operator.leader(0.2)
    operator.graph.step(4)
    assert gripper[-1] == pytest.approx(0.7)
    for _ in range(22):
        operator.leader(0.9)
        operator.pedal("/leader_pedal", True)
        operator.graph.step()
        if operator.state.mode != HUMAN:
            break
        assert "'trigger' jumped by 0.7 rad" in operator.text
    assert operator.in_mode(HOLD, Reason.HUMAN_CONTROL)
    assert "leader: the motion on /leader is 0.2" in operator.text
    assert max(gripper) <= 0.71


def test_a_hand_that_is_stuck_keeps_its_target_near_and_the_stick_turns_back_at_once(operator):
    operator.drive()
    wall = operator.graph.robot.position[0] + 0.05
    operator.graph.robot.change["ee_pose"] = lambda pose: stopped_at(pose, wall)
    operator.take_over()
    operator.hold(30, DEAD_MAN, x=1.0)
    assert "held back" not in operator.text
    operator.hold(100, DEAD_MAN, x=1.0)
    x = operator.graph.robot.position[0]
    assert x == pytest.approx(wall + 0.15), "the leash of metres, where the spec has none"
    assert operator.in_mode(HUMAN, Reason.HUMAN_CONTROL)
    assert operator.text.endswith("gamepad: the hand is 0.15 m behind its target: held back")
    operator.hold(1, DEAD_MAN, x=-1.0)
    assert operator.graph.robot.position[0] == pytest.approx(x - 0.4 * TICK_NS / 1e9)
    assert "held back" not in operator.text
    operator.hold(40, DEAD_MAN, x=1.0)
    del operator.graph.robot.change["ee_pose"]  # it comes free
    operator.hold(4, DEAD_MAN, x=1.0)
    assert operator.graph.robot.position[0] == pytest.approx(x + 0.4 * 4 * TICK_NS / 1e9, abs=0.006)
    assert_no_jump(operator)


def stopped_at(pose: PoseStamped, wall: float) -> PoseStamped:
    """Return what is measured of a hand that goes no farther along x."""
    pose.pose.position.x = min(pose.pose.position.x, wall)
    return pose


def test_a_trackers_pose_counts_from_the_takeover(operator):
    operator.drive()
    x = operator.graph.robot.position[0]
    operator.pose(5.0)
    operator.pedal("/tracker_pedal", False)
    for tick in range(40):
        operator.pose(5.0 + 0.002 * tick)
        operator.pedal("/tracker_pedal", True)
        operator.graph.step()
    assert operator.state.source == "tracker"
    assert operator.graph.robot.position[0] - x == pytest.approx(0.078, abs=0.04)
    assert_no_jump(operator)


def test_the_last_point_of_a_trajectory_without_a_stamp_is_followed_by_the_joys_second_dead_man(operator):
    operator.drive()
    for down in ((), (SECOND_DEAD_MAN,), (SECOND_DEAD_MAN,)):
        operator.goal(0.0, -0.6)
        operator.hold(1, *down)
    assert operator.state.source == "goals"
    assert operator.graph.robot.gripper_commands[-1] == pytest.approx(-0.6)
    operator.goal()
    operator.graph.step()
    assert "goals: the trajectory on /goal has no points" in operator.text


def test_a_joy_without_a_stamp_counts_on_arrival(operator):
    operator.drive()
    operator.joy(stamped=False)
    operator.joy(DEAD_MAN, stamped=False)
    operator.graph.step()
    assert operator.state.source == "gamepad"


def test_the_gamepads_stop_button_latches_in_the_middle_of_a_turn(operator):
    operator.drive()
    operator.take_over(x=1.0)
    operator.hold(20, DEAD_MAN, x=1.0)
    assert operator.hold(1, DEAD_MAN, ESTOP, x=1.0).mode == STOPPED
    operator.expect_events((TAKEOVER, "gamepad"), (HANDBACK, "gamepad"))
    assert "E_STOP" in operator.events[-1].text
    operator.hold(20, ESTOP)
    assert operator.reset_estop().error_code == Reason.ESTOP_STILL_PRESSED
    operator.hold(2)
    state = operator.hold(2, DEAD_MAN)
    assert state.mode == STOPPED and "the emergency stop is latched" in state.reason.text
    assert operator.resume().error_code == Reason.E_STOP
    operator.hold(1)
    assert operator.reset_estop().error_code == Reason.OK
    assert operator.hold(1).mode == HOLD
    assert operator.take_over().mode == HUMAN
    assert_no_jump(operator)


def test_a_button_is_reported_once_per_press_and_not_when_it_was_down_at_the_start(operator):
    operator.hold(2, SUCCESS)
    assert not operator.events
    for button in (6, 7, 8, 9, 10, SUCCESS):
        operator.hold(1)
        operator.hold(3, button)
    told = (
        EpisodeEvent.FAILURE,
        EpisodeEvent.DISCARDED,
        EpisodeEvent.MARK,
        EpisodeEvent.START_REQUESTED,
        EpisodeEvent.STOP_REQUESTED,
        EpisodeEvent.SUCCESS,
    )
    operator.expect_events(*((event, "gamepad") for event in told))


def test_the_resume_button_resumes_and_only_what_waits(operator):
    operator.drive()
    operator.hold(1)
    operator.hold(1, RESUME)
    assert not operator.events, "nothing was waiting"
    operator.take_over()
    operator.hold(2, DEAD_MAN, RESUME)
    assert operator.state.mode == HUMAN
    operator.expect_events((TAKEOVER, "gamepad"))
    assert operator.resume().error_code == Reason.HUMAN_CONTROL
    operator.hold(RELEASE_TICKS)
    operator.chunk()
    assert operator.hold(2, RESUME).mode == POLICY
    operator.expect_events((TAKEOVER, "gamepad"), (HANDBACK, "gamepad"), (RESUMED, "gamepad"))


def test_a_new_goal_lifts_the_wait_after_a_takeover(operator):
    operator.drive()
    operator.take_over()
    operator.hold(RELEASE_TICKS)
    operator.status(PolicyStatus.IDLE)
    operator.drive()


def test_in_shadow_mode_a_takeover_is_shown_and_nothing_is_sent(graph, tmp_path):
    operator = Operator(graph, tmp_path, enable_control=False)
    operator.drive()
    state = operator.take_over(x=1.0)
    assert state.mode == HUMAN and len(state.executed) == 4
    operator.hold(20, DEAD_MAN, x=1.0)
    assert not graph.robot.targets and not graph.robot.gripper_commands


def test_deactivation_ends_the_turn(operator):
    operator.drive()
    operator.take_over()
    operator.graph.lock_step.remove(operator.answered)
    operator.executor.trigger_deactivate()
    operator.expect_events((TAKEOVER, "gamepad"), (HANDBACK, "gamepad"))
    assert "DEACTIVATED" in operator.events[-1].text
