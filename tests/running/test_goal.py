# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One run at a time, refused for a reason, ended for exactly one reason."""

import math

import pytest

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.running.goal import Ending, GoalHandler, Termination

SECOND = 1_000_000_000


def _handler(window_s: float = 30.0) -> tuple[GoalHandler, list[Ending]]:
    endings: list[Ending] = []
    goals = GoalHandler(endings.append, monitor_stop_window_s=window_s)
    goals.enabled = True
    return goals, endings


@pytest.mark.parametrize("instruction", ["", "   ", "\n\t", "x" * 1001, "x" * 10_000])
def test_an_empty_or_endless_instruction_is_refused(instruction):
    goals, _ = _handler()
    assert goals.start(instruction, 0.0, 0).code == ReasonCode.INSTRUCTION_INVALID
    assert goals.run is None
    assert goals.start("open the door", 0.0, 0).ok
    assert goals.set_instruction(instruction).code == ReasonCode.INSTRUCTION_INVALID
    assert goals.run is not None and goals.run.instruction == "open the door"


@pytest.mark.parametrize("limit", [-1.0, math.nan, math.inf])
def test_a_time_limit_out_of_range_is_refused(limit):
    assert _handler()[0].start("go", limit, 0).code == ReasonCode.REQUEST_INVALID


def test_a_second_run_is_refused_and_the_first_goes_on():
    goals, endings = _handler()
    assert goals.start("first", 0.0, 0).ok
    assert goals.start("second", 0.0, 0).code == ReasonCode.BUSY
    assert goals.run is not None and goals.run.instruction == "first" and not endings


def test_nothing_starts_while_the_node_is_not_active():
    goals = GoalHandler(lambda ending: None)
    assert goals.start("go", 0.0, 0).code == ReasonCode.NOT_ACTIVE


def test_the_time_limit_ends_the_run_once():
    goals, endings = _handler()
    goals.start("go", 2.0, 10 * SECOND)
    goals.check_time(12 * SECOND - 1)
    assert not endings
    goals.check_time(12 * SECOND)
    goals.check_time(13 * SECOND)
    assert [(e.termination, e.run.elapsed_s(e.now_ns)) for e in endings] == [(Termination.TIME_LIMIT, 2.0)]
    assert goals.end(Termination.CANCELED, 0).code == ReasonCode.POLICY_NOT_RUNNING


def test_the_time_limit_stands_still_from_a_takeover_until_the_policy_goes_on():
    goals, endings = _handler()
    goals.start("go", 2.0, 10 * SECOND)
    for tick in range(100, 200):  # the operator drives from 11 s to 15 s, then the robot waits until 20 s
        mode = ControlMode.HUMAN if 110 <= tick < 150 else ControlMode.HOLD
        goals.on_control(
            mode, ReasonCode.HUMAN_CONTROL if tick >= 110 else ReasonCode.NO_CHUNK, tick * SECOND // 10
        )
        goals.check_time(tick * SECOND // 10)
    assert goals.run is not None and goals.run.remaining_s(199 * SECOND // 10) == pytest.approx(1.0)
    goals.on_control(ControlMode.POLICY, ReasonCode.OK, 20 * SECOND)
    goals.check_time(21 * SECOND - 1)
    assert not endings
    goals.check_time(21 * SECOND)
    assert [(e.termination, e.run.elapsed_s(e.now_ns)) for e in endings] == [(Termination.TIME_LIMIT, 2.0)]


def test_a_clock_that_jumps_back_while_the_operator_drives_changes_no_elapsed_time():
    goals, _ = _handler()
    goals.start("go", 5.0, 100 * SECOND)
    for second in (101, 102):
        goals.on_control(ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL, second * SECOND)
    goals.rebase(-90 * SECOND)
    assert goals.run is not None and goals.run.elapsed_s(12 * SECOND) == pytest.approx(1.0)
    goals.on_control(ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL, 12 * SECOND + SECOND // 2)
    goals.on_control(ControlMode.POLICY, ReasonCode.OK, 13 * SECOND)
    assert goals.run.elapsed_s(15 * SECOND) == pytest.approx(3.0)


def test_a_run_that_starts_while_the_operator_drives_begins_when_the_policy_may_go_on():
    goals, _ = _handler()
    goals.on_control(ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL, 1 * SECOND)
    goals.start("go", 5.0, 3 * SECOND // 2)
    goals.on_control(ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL, 2 * SECOND)
    goals.on_control(ControlMode.HOLD, ReasonCode.NO_CHUNK, 5 * SECOND // 2)
    assert goals.run is not None and goals.run.elapsed_s(3 * SECOND) == pytest.approx(0.5)


def test_a_run_without_a_limit_goes_on():
    goals, endings = _handler()
    goals.start("go", 0.0, 0)
    goals.check_time(10**18)
    assert not endings


def test_answers_to_an_earlier_run_can_be_told_apart():
    goals, _ = _handler()
    goals.start("go", 0.0, 0)
    first = goals.run
    goals.end(Termination.CANCELED, 0)
    goals.start("go", 0.0, 0)
    assert first is not None and goals.run is not None and goals.run.number != first.number


def _ticks(goals: GoalHandler, *ticks: tuple[float, ControlMode, ReasonCode]) -> None:
    for time_s, mode, code in ticks:
        goals.on_control(mode, code, round(time_s * SECOND))


DROVE, HELD = (ControlMode.POLICY, ReasonCode.OK), (ControlMode.HOLD, ReasonCode.MONITOR_STOP)
STOPPED = (ControlMode.STOPPED, ReasonCode.E_STOP)


@pytest.mark.parametrize("before", [DROVE, HELD, (ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL)])
def test_an_emergency_stop_ends_the_run_at_once(before):
    goals, endings = _handler()
    goals.start("go", 0.0, 10 * SECOND)
    _ticks(goals, (10.5, *before), (11.0, *STOPPED), (11.1, *STOPPED))
    assert [(e.termination, e.reason.code) for e in endings] == [(Termination.E_STOP, ReasonCode.E_STOP)]
    assert goals.run is None


def test_a_stop_from_before_the_run_does_not_end_it():
    goals, endings = _handler()
    goals.start("go", 0.0, 10 * SECOND)
    _ticks(goals, (9.9, *STOPPED))
    assert not endings


@pytest.mark.parametrize("window_s", [0.0, 0.5, 30.0])
def test_a_stop_by_the_monitor_ends_the_run_after_the_window(window_s):
    goals, endings = _handler(window_s)
    goals.start("go", 0.0, 0)
    _ticks(goals, (1.0, *DROVE), (2.0, *HELD))
    assert bool(endings) is (window_s == 0.0)
    _ticks(goals, (2.0 + window_s - 0.01, *HELD))
    assert bool(endings) is (window_s == 0.0)
    _ticks(goals, (2.0 + window_s, *HELD))
    (ending,) = endings
    assert (ending.termination, ending.reason.code) == (Termination.MONITOR_STOP, ReasonCode.MONITOR_STOP)
    assert f"nobody took over within {window_s:g} s" in ending.reason.text


@pytest.mark.parametrize(
    "rescue", [DROVE, (ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL), (ControlMode.HOLD, ReasonCode.NO_CHUNK)]
)
def test_a_takeover_or_resume_within_the_window_saves_the_run_and_a_new_stop_has_a_whole_window(rescue):
    goals, endings = _handler(2.0)
    goals.start("go", 0.0, 0)
    _ticks(goals, (1.0, *DROVE), (2.0, *HELD), (3.9, *HELD), (3.95, *rescue), (5.0, *HELD), (6.9, *HELD))
    assert not endings
    _ticks(goals, (7.0, *HELD))
    assert [e.termination for e in endings] == [Termination.MONITOR_STOP]


def test_the_hold_of_the_run_before_does_not_end_the_next_run():
    goals, endings = _handler(0.0)
    goals.start("go", 0.0, 0)
    _ticks(goals, (1.0, *DROVE), (2.0, *HELD))
    goals.start("again", 0.0, 3 * SECOND)
    _ticks(goals, (3.01, *HELD), (3.02, *HELD))
    assert len(endings) == 1 and goals.run is not None
    _ticks(goals, (3.03, *DROVE), (3.04, *HELD))
    assert len(endings) == 2


def test_a_clock_that_jumps_back_keeps_the_window():
    goals, endings = _handler(2.0)
    goals.start("go", 0.0, 100 * SECOND)
    _ticks(goals, (100.5, *DROVE), (101.0, *HELD), (102.0, *HELD))
    goals.rebase(-90 * SECOND)
    _ticks(goals, (12.9, *HELD))
    assert not endings
    _ticks(goals, (13.0, *HELD))
    assert [e.termination for e in endings] == [Termination.MONITOR_STOP]
