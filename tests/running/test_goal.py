# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One run at a time, refused for a reason, ended for exactly one reason."""

import math

import pytest

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.running.goal import Ending, GoalHandler, Termination

SECOND = 1_000_000_000


def _handler() -> tuple[GoalHandler, list[Ending]]:
    endings: list[Ending] = []
    goals = GoalHandler(endings.append)
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
