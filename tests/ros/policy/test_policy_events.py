# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The policy node hears of takeovers, which leave the goal as it is, and of outcomes, which end it."""

from pathlib import Path
from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ControlState, EpisodeEvent, PolicyStatus, Reason
from std_msgs.msg import Bool

from helpers.fake_robot import TICKS_PER_STEP
from helpers.policy_harness import ActionUser, PolicyUser, add_policy_node, make_checkpoint
from helpers.ros_graph import Graph
from helpers.takeover_harness import DEAD_MAN, SUCCESS, Operator, write_spec
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import conversion, qos

SUCCESS_FLAG, WINDOW_S = "/solved", 1.0


class EventUser(PolicyUser):
    """Speaks and listens on the events' topic."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.events: list[EpisodeEvent] = []
        topic = "/episode_events"
        self._events = self.node.create_publisher(EpisodeEvent, topic, qos.EPISODE_EVENT)
        self.node.create_subscription(EpisodeEvent, topic, self.events.append, qos.EPISODE_EVENT)
        graph.spin_until(lambda: self._events.get_subscription_count() >= 2, "who hears events")

    def say(self, event: int) -> None:
        """Publish an event of now, heard by all when this returns."""
        message = EpisodeEvent(event=event, source="gamepad")
        message.header.stamp = conversion.to_stamp(self.graph.robot.now_ns)
        self.graph.send(self._events, message)

    def instructions(self) -> list[str]:
        """The instructions that came into force."""
        return [e.instruction for e in self.events if e.event == EpisodeEvent.INSTRUCTION_CHANGED]


@pytest.fixture
def user(graph: Graph, spec_file: Path, tmp_path: Path) -> EventUser:
    add_policy_node(
        graph,
        spec_file,
        make_checkpoint(tmp_path / "checkpoint"),
        success_topic=SUCCESS_FLAG,
        monitor_stop_window_s=WINDOW_S,
    )
    user = EventUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")
    graph.step(2 * TICKS_PER_STEP)
    return user


@pytest.mark.parametrize("event", [EpisodeEvent.TAKEOVER, EpisodeEvent.HANDBACK, EpisodeEvent.RESUMED])
def test_a_change_of_who_drives_restarts_the_history_and_leaves_the_run(user, event):
    user.start()
    user.run_until_chunks(3)
    user.graph.step()
    said_ns = user.graph.robot.now_ns
    user.say(event)
    user.run_until_chunks(5)
    assert to_ns(user.chunks[3].header.stamp) >= said_ns  # what was seen before says nothing of the present
    assert [chunk.index for chunk in user.chunks] == [0, 1, 2, 0, 1]
    assert [chunk.chunk_id for chunk in user.chunks] == [1, 2, 3, 4, 5]
    assert user.in_state(PolicyStatus.RUNNING, Reason.OK)


def test_marks_and_the_recorders_events_change_nothing(user):
    user.start()
    user.run_until_chunks(2)
    for event in (EpisodeEvent.MARK, EpisodeEvent.STARTED, EpisodeEvent.ENDED, EpisodeEvent.START_REQUESTED):
        user.say(event)
    user.run_until_chunks(4)
    assert [chunk.index for chunk in user.chunks] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("event", "status", "termination"),
    [
        (EpisodeEvent.SUCCESS, GoalStatus.STATUS_SUCCEEDED, RunPolicy.Result.TERMINATION_SUCCEEDED),
        (EpisodeEvent.FAILURE, GoalStatus.STATUS_ABORTED, RunPolicy.Result.TERMINATION_FAILED),
        (EpisodeEvent.DISCARDED, GoalStatus.STATUS_CANCELED, RunPolicy.Result.TERMINATION_CANCELED),
    ],
)
def test_an_outcome_ends_the_goal_with_the_termination_it_means(user, event, status, termination):
    action = ActionUser(user)
    handle = action.send("open the door")
    user.run_until_chunks(2)
    user.say(event)
    answer = action.wait(handle.get_result_async())
    assert (answer.status, answer.result.termination_reason) == (status, termination)
    assert answer.result.error_code == Reason.OK
    assert action.send("again").accepted


def test_an_outcome_without_a_run_changes_nothing(user):
    user.say(EpisodeEvent.SUCCESS)
    assert user.start().error_code == Reason.OK


def test_each_instruction_that_comes_into_force_is_reported(user):
    user.start("open the door")
    user.set_instruction("close the door")
    user.set_instruction("")
    user.graph.spin_until(lambda: len(user.instructions()) >= 2, "both instructions")
    assert user.instructions() == ["open the door", "close the door"]
    assert {event.source for event in user.events} == {"policy_node"}


class RescuedRun:
    """A run of 2 s whose policy drives, with an operator who may take over."""

    LIMIT_S = 2.0

    def __init__(self, graph: Graph, folder: Path, **executor: Any) -> None:
        self.operator = Operator(graph, folder, **executor)
        add_policy_node(graph, write_spec(folder), make_checkpoint(folder / "checkpoint"))
        self.graph, self.user = graph, PolicyUser(graph)
        graph.spin_until(lambda: self.user.in_state(PolicyStatus.IDLE), "the node to become idle")
        graph.step(2 * TICKS_PER_STEP)
        self.action = ActionUser(self.user)
        self.handle = self.action.send("open the door", time_limit_s=self.LIMIT_S)
        graph.step_until(lambda: self.operator.in_mode(ControlState.POLICY), "the policy's motion")

    @property
    def runs(self) -> bool:
        return not self.user.in_state(PolicyStatus.IDLE)

    def ends_after(self) -> float:
        """Tick until the run ends; returns the policy's time that its result tells."""
        for _ in range(400):
            if not self.runs:
                break
            self.operator.hold(1)
        answer = self.action.wait(self.handle.get_result_async())
        assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_TIME_LIMIT
        return answer.result.elapsed_s

    def policys_time(self) -> float:
        """How long the executor did not say that the operator had the robot, since the goal, s."""
        stamps = [to_ns(s.header.stamp) for s in self.operator.states if s.mode == ControlState.HUMAN]
        began = next(to_ns(s.header.stamp) for s in self.user.statuses if s.state == PolicyStatus.RUNNING)
        after = next(
            to_ns(s.header.stamp)
            for s in self.operator.states
            if to_ns(s.header.stamp) > stamps[-1] and s.reason.code != Reason.HUMAN_CONTROL
        )
        return (self.graph.robot.now_ns - began - (after - stamps[0])) * 1e-9


def test_the_time_limit_stands_still_while_the_operator_has_the_robot(graph, tmp_path):
    run = RescuedRun(graph, tmp_path)
    run.operator.hold(40)
    run.operator.take_over(x=0.2)
    run.operator.hold(10, DEAD_MAN, x=0.2)
    told = len(run.action.feedback)
    run.operator.hold(240, DEAD_MAN)  # 3 s, more than the whole limit
    run.operator.hold(200)  # let go, and waiting for resume
    assert run.operator.in_mode(ControlState.HOLD, Reason.HUMAN_CONTROL) and run.runs
    standing = run.action.feedback[told:]
    assert len(standing) >= 4
    remaining = [feedback.remaining_s for feedback in standing]
    assert max(remaining) - min(remaining) < 0.05 and 1.0 < min(remaining) < 1.6
    assert run.user.status.elapsed_s == pytest.approx(run.LIMIT_S - remaining[-1], abs=0.05)
    assert run.operator.resume().error_code == Reason.OK
    assert run.ends_after() == pytest.approx(run.LIMIT_S, abs=0.06)
    assert run.policys_time() == pytest.approx(run.LIMIT_S, abs=0.1)


def test_after_a_release_with_after_takeover_resume_the_time_limit_goes_on(graph, tmp_path):
    run = RescuedRun(graph, tmp_path, after_takeover="resume")
    run.operator.take_over()
    run.operator.hold(200, DEAD_MAN)
    assert run.runs
    assert run.ends_after() == pytest.approx(run.LIMIT_S, abs=0.06)
    assert run.policys_time() == pytest.approx(run.LIMIT_S, abs=0.1)


def test_an_emergency_stop_ends_the_goal_at_once_and_the_next_goal_drives_after_the_reset(graph, tmp_path):
    run = RescuedRun(graph, tmp_path)
    run.operator.estop(True)
    ticks = graph.step_until(lambda: not run.runs, "the end of the goal")
    assert ticks <= 5 and run.operator.in_mode(ControlState.STOPPED)
    answer = run.action.wait(run.handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_ABORTED
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_E_STOP
    assert (answer.result.error_code, answer.result.error_msg) == (
        Reason.E_STOP,
        "an emergency stop ended the run",
    )
    run.operator.estop(False)
    run.operator.hold(2)
    assert run.operator.reset_estop().error_code == Reason.OK
    assert run.action.send("open the door").accepted
    graph.step_until(lambda: run.operator.in_mode(ControlState.POLICY), "the policy's motion")


def test_a_stop_by_the_monitor_ends_the_goal_after_the_window(user):
    control = user.node.create_publisher(ControlState, "/control_state", qos.CONTROL_STATE)
    user.graph.spin_until(lambda: control.get_subscription_count() == 1, "who hears who drives")
    action = ActionUser(user)
    handle = action.send("open the door")

    def hold(seconds: float, mode: int, code: int) -> None:
        until_ns = user.graph.robot.now_ns + round(seconds * 1e9)
        while user.graph.robot.now_ns < until_ns:
            message = ControlState(mode=mode, reason=Reason(code=code))
            message.header.stamp = conversion.to_stamp(user.graph.robot.now_ns)
            user.graph.send(control, message)
            user.graph.step()

    hold(0.1, ControlState.POLICY, Reason.OK)
    hold(WINDOW_S - 0.1, ControlState.HOLD, Reason.MONITOR_STOP)
    assert not user.in_state(PolicyStatus.IDLE)
    hold(0.3, ControlState.HOLD, Reason.MONITOR_STOP)
    answer = action.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_ABORTED
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_MONITOR_STOP
    assert answer.result.error_code == Reason.MONITOR_STOP


@pytest.mark.parametrize("profile", [qos.EVENT, qos.PROPRIO, qos.STATUS], ids=["reliable", "best", "latched"])
def test_a_success_flag_of_any_publisher_ends_the_goal_and_is_recorded_once(user, profile):
    success = user.node.create_publisher(Bool, SUCCESS_FLAG, profile)
    user.graph.spin_until(lambda: success.get_subscription_count() == 1, "who hears of success")
    action = ActionUser(user)
    handle = action.send("open the door")
    user.run_until_chunks(2)
    success.publish(Bool(data=False))
    user.run_until_chunks(3)
    ended = handle.get_result_async()
    for _ in range(100):  # a flag is sent as long as it is true
        if ended.done():
            break
        success.publish(Bool(data=True))
        user.graph.step()
    answer = action.wait(ended)
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_SUCCEEDED
    told = [event.source for event in user.events if event.event == EpisodeEvent.SUCCESS]
    assert told == [SUCCESS_FLAG]


def test_a_clock_that_goes_back_in_the_operators_hands_leaves_the_policys_time_as_it_is(graph, tmp_path):
    run = RescuedRun(graph, tmp_path)
    run.operator.take_over()
    run.operator.hold(100, DEAD_MAN)
    graph.jump(-60.0)
    run.operator.hold(200)
    assert run.operator.in_mode(ControlState.HOLD, Reason.HUMAN_CONTROL) and run.runs
    assert 0.0 < run.user.status.elapsed_s < 0.6
    assert run.operator.resume().error_code == Reason.OK
    assert run.ends_after() == pytest.approx(run.LIMIT_S, abs=0.1)


def test_an_executor_that_ends_in_the_operators_hands_does_not_stop_the_time_limit_for_ever(graph, tmp_path):
    run = RescuedRun(graph, tmp_path)
    run.operator.take_over()
    run.operator.hold(20, DEAD_MAN)
    graph.lock_step.remove(run.operator.answered)
    graph.executor.remove_node(run.operator.executor)
    run.operator.executor.destroy_node()
    ticks = graph.step_until(lambda: not run.runs, "the time limit")
    assert 80 <= ticks <= 250  # the second in which nobody says otherwise, and what was left of 2 s


def test_the_operator_rescues_a_run_and_the_policy_finishes_it(graph, tmp_path):
    operator = Operator(graph, tmp_path)
    add_policy_node(graph, write_spec(tmp_path), make_checkpoint(tmp_path / "checkpoint"))
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")
    graph.step(2 * TICKS_PER_STEP)
    action = ActionUser(user)
    handle = action.send("open the door")
    graph.step_until(lambda: operator.in_mode(ControlState.POLICY), "the policy's motion")
    operator.take_over(x=1.0)
    taken_at = len(user.chunks)
    operator.hold(60, DEAD_MAN, x=1.0)
    shadow = [state for state in operator.states if state.mode == ControlState.HUMAN and state.proposed]
    assert len(shadow) > 30 and len(user.chunks) > taken_at + 1
    operator.hold(45)
    assert operator.in_mode(ControlState.HOLD, Reason.HUMAN_CONTROL)
    assert operator.resume().error_code == Reason.OK
    operator.hold(40)
    assert operator.in_mode(ControlState.POLICY)
    assert [chunk.index for chunk in user.chunks].count(0) == 4  # start, takeover, hand-back, resume
    operator.hold(1, SUCCESS)
    answer = action.wait(handle.get_result_async())
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_SUCCEEDED


def test_after_a_release_the_policy_goes_on_without_losing_a_chunk(graph, tmp_path):
    operator = Operator(graph, tmp_path, after_takeover="resume")
    add_policy_node(graph, write_spec(tmp_path), make_checkpoint(tmp_path / "checkpoint"))
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")
    graph.step(2 * TICKS_PER_STEP)
    user.start()
    graph.step_until(lambda: operator.in_mode(ControlState.POLICY), "the policy's motion")
    operator.take_over()
    operator.hold(10, DEAD_MAN)
    while operator.state.mode == ControlState.HUMAN:
        operator.hold(1)
    ticks = 0
    while operator.state.mode == ControlState.HOLD:
        operator.hold(1)
        ticks += 1
    assert operator.in_mode(ControlState.POLICY) and ticks <= TICKS_PER_STEP + 2
