# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator takes the robot from the executor and hands it back: no jump, every refusal is reported."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from helpers.takeover_cell import HOME, MS, STICK, TICK_NS, Cell
from helpers.teleop_robots import TWIST, moving_robot
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.reasons import Reason, ReasonCode

HUMAN, POLICY, HOLD, STOPPED = ControlMode.HUMAN, ControlMode.POLICY, ControlMode.HOLD, ControlMode.STOPPED
RELEASE_TICKS = 51
EVENTS = st.tuples(
    st.one_of(
        st.sampled_from(["press", "release", "silence"]),
        st.sampled_from(["chunk", "chunk", "idle", "running", "resume"]),
        st.sampled_from(["push", "estop", "reset", "monitor"]),
    ),
    st.floats(-2.0, 2.0),
    st.sampled_from([1, 1, 1, 5, 20, 60]),
    st.sampled_from([TICK_NS, TICK_NS, TICK_NS, 3 * MS, 40 * MS, 130 * MS]),
)


def apply(cell: Cell, event: str, speed: float) -> None:
    arbitration = cell.executor.arbitration
    if event == "push" and (not cell.commands or cell.last.action is None):
        cell.position = HOME + np.array([speed / 20, 0.0, 0.0, 0.0])
    actions: dict[str, Any] = {
        "chunk": lambda: cell.chunk(speed / 1.5),
        "idle": lambda: cell.executor.on_policy_state(PolicyState.IDLE),
        "running": lambda: cell.executor.on_policy_state(PolicyState.RUNNING),
        "resume": arbitration.resume,
        "estop": lambda: cell.executor.on_estop(True),
        "reset": lambda: (cell.executor.on_estop(False), cell.executor.reset_estop()),
        "monitor": lambda: arbitration.monitor_stop("inconsistent"),
    }
    actions.get(event, lambda: None)()


@examples(200)
@given(st.lists(EVENTS, max_size=40), st.sampled_from(["hold", "resume"]))
def test_whatever_happens_no_command_jumps_and_nothing_but_the_dead_man_makes_the_operator_drive(
    events, after
):
    cell = Cell(after_takeover=after)
    stick: bool | None = None
    for event, speed, ticks, step_ns in events:
        stick = {"press": True, "release": False, "silence": None}.get(event, stick)
        apply(cell, event, speed)
        for _ in range(ticks):
            if stick is not None:
                cell.stick(stick, speed)
            before = cell.mode
            command = cell.tick(step_ns)
            assert (command.mode is HUMAN) is bool(command.source)
            if before is STOPPED and event != "reset":
                assert command.mode is STOPPED
            if command.mode is HUMAN:
                assert command.plan is None and command.stop is None
                assert command.action is not None
            if before is HUMAN and command.mode is POLICY:
                raise AssertionError("the policy needs a chunk of after the hand-back")


@pytest.mark.parametrize("start", ["policy", "braking", "rest", "fresh"])
def test_from_wherever_the_robot_is_the_press_drives_in_the_same_tick_and_the_release_ends_it(start):
    cell = Cell()
    if start != "fresh":
        cell.drive()
    if start in ("braking", "rest"):
        cell.executor.on_policy_state(PolicyState.IDLE)
        cell.ticks(5 if start == "braking" else 200, pressed=False)
        assert (cell.last.action is None) is (start == "rest")
    cell.ticks(1, pressed=False)
    cell.stick(True, 0.5)
    command = cell.tick()
    assert (command.mode, command.source, command.reason.code) == (HUMAN, "stick", ReasonCode.HUMAN_CONTROL)
    x = cell.position[0]
    cell.ticks(100, pressed=True, x=0.3)
    assert cell.position[0] - x == pytest.approx(0.3, abs=0.05)
    assert cell.ticks(RELEASE_TICKS - 3, pressed=False).mode is HUMAN
    command = cell.ticks(5, pressed=False)
    assert (command.mode, command.source, command.reason.code) == (
        HOLD,
        "",
        ReasonCode.HUMAN_CONTROL if start != "rest" else command.reason.code,
    )
    rest = cell.position[0]
    cell.ticks(50, pressed=False)
    assert cell.position[0] == rest


@pytest.mark.parametrize("braking_ticks", [0, 1, 4, 8])
def test_a_takeover_in_motion_is_no_jolt_also_when_the_robot_lags_behind_its_command(braking_ticks):
    cell = Cell()
    cell.drive()
    cell.lag = np.array([0.02, 0.0, 0.0, 0.0])
    cell.ticks(10, pressed=False)
    if braking_ticks:
        cell.executor.on_policy_state(PolicyState.IDLE)
        cell.ticks(braking_ticks, pressed=False)
    first = len(cell.commands) - 2
    assert cell.ticks(30, pressed=True).mode is HUMAN
    positions = [c.action[0] for c in cell.commands[first:] if c.action is not None]
    acceleration = np.abs(np.diff(positions, 2)) / (TICK_NS / 1e9) ** 2
    assert len(positions) == 32 and acceleration.max() < 8.0  # a stop within one tick would be 40 m/s^2


def test_after_an_emergency_stop_the_operator_starts_where_the_robot_has_been_moved_to():
    cell = Cell()
    cell.drive()
    cell.executor.on_estop(True)
    cell.ticks(20, pressed=False)
    cell.executor.on_estop(False)
    assert cell.executor.reset_estop() is None
    cell.position = cell.position + np.array([0.0, 0.2, 0.0, 0.0])  # before the last command is forgotten
    cell.commands.clear()
    assert cell.ticks(1, pressed=True).mode is HUMAN
    assert cell.position[1] == pytest.approx(0.8, abs=0.01)


def test_the_policys_wish_is_shown_also_where_the_operator_has_moved_on():
    cell = Cell()
    cell.drive()
    cell.ticks(5, pressed=True)
    here, cell.position = cell.position, cell.position + np.array([0.0, 0.3, 0.0, 0.0])
    assert cell.chunk(0.2) is None  # it starts too far off to be executed
    cell.position = here
    proposed = cell.ticks(5, pressed=True).proposed
    assert proposed is not None and proposed[1] == pytest.approx(0.9)


def test_what_the_policy_wants_is_shown_while_the_operator_drives_and_never_executed():
    cell = Cell()
    cell.drive()
    cell.ticks(20, pressed=True, x=-0.4)
    assert cell.last.proposed is None  # the plan of before is gone
    cell.chunk(1.0)
    moved = cell.ticks(10, pressed=True, x=-0.4)
    assert moved.proposed is not None and moved.action is not None and moved.chunk_id == cell.chunk_id
    assert moved.proposed[0] > moved.action[0] + 0.05
    of_the_turn = cell.now_ns
    cell.chunk(1.0)
    assert cell.ticks(70, pressed=False).proposed is None
    cell.executor.arbitration.resume()
    x = cell.position[0]
    assert cell.ticks(5, pressed=False).mode is HOLD and cell.position[0] == x
    late = cell.chunk(1.0, observation_stamp_ns=of_the_turn, start_ns=cell.now_ns)
    assert late is not None and "before the hand-back" in late.text
    assert cell.ticks(5, pressed=False).reason == late and cell.position[0] == x
    assert cell.chunk(0.2) is None
    assert cell.ticks(5, pressed=False).mode is POLICY


def test_a_stale_signal_pauses_and_neither_returns_nor_resumes():
    cell = Cell(after_takeover="resume")
    cell.drive()
    cell.ticks(30, pressed=True, x=0.4)
    command = cell.ticks(27)
    assert (command.mode, command.reason.code) == (HOLD, ReasonCode.HUMAN_CONTROL)
    assert "the dead-man switch's newest sample is 0.2" in command.reason.text
    cell.chunk()
    assert cell.ticks(100).mode is HOLD
    cell.chunk()
    assert cell.ticks(5, pressed=True).mode is HOLD  # still down: it takes a release and a fresh press
    assert "resume or start again" in cell.last.reason.text
    cell.ticks(2, pressed=False)
    assert cell.ticks(1, pressed=True).mode is HUMAN


def test_after_takeover_resume_goes_on_after_a_release_with_the_first_new_chunk():
    cell = Cell(after_takeover="resume")
    cell.drive()
    cell.executor.arbitration.monitor_stop("inconsistent")
    cell.ticks(30, pressed=True, x=0.2)
    assert cell.ticks(55, pressed=False).reason.code == ReasonCode.NO_CHUNK
    assert not cell.executor.arbitration.waiting
    cell.chunk()
    assert cell.ticks(2, pressed=False).mode is POLICY and cell.last.reason == Reason(ReasonCode.OK)


def test_by_default_the_policy_waits_for_resume():
    cell = Cell()
    cell.drive()
    cell.ticks(10, pressed=True)
    cell.ticks(60, pressed=False)
    cell.chunk()
    assert cell.ticks(10, pressed=False).mode is HOLD
    assert cell.executor.arbitration.resume() is None
    assert cell.ticks(1, pressed=False).mode is POLICY


@pytest.mark.parametrize("after", ["hold", "resume"])
def test_an_emergency_stop_ends_the_turn_with_a_deceleration_and_nothing_goes_on_by_itself(after):
    cell = Cell(after_takeover=after)
    cell.drive()
    cell.ticks(60, pressed=True, x=0.8)
    cell.executor.on_estop(True, "gamepad")
    stopped = cell.ticks(1, pressed=True, x=0.8)
    assert (stopped.mode, stopped.source, stopped.reason.code) == (STOPPED, "", ReasonCode.E_STOP)
    assert stopped.stop is not None  # a trajectory controller gets a stop
    cell.ticks(30, pressed=True, x=0.8)
    x = cell.position[0]
    cell.ticks(2, pressed=False)
    refused = cell.ticks(2, pressed=True, x=0.8)
    assert refused.mode is STOPPED and "the emergency stop is latched" in refused.reason.text
    still = cell.executor.reset_estop()
    assert still is not None and "gamepad" in still.text
    cell.executor.on_estop(False, "gamepad")
    assert cell.executor.reset_estop() is None
    assert cell.ticks(20, pressed=True, x=0.8).mode is HOLD and cell.position[0] == x
    cell.ticks(2, pressed=False)
    assert cell.ticks(10, pressed=True).mode is HUMAN
    cell.ticks(60, pressed=False)
    cell.chunk()
    assert cell.ticks(5, pressed=False).reason.code == ReasonCode.E_STOP  # a release does not lift that


def test_a_clock_that_jumps_back_ends_the_turn_and_the_next_press_counts_in_the_new_time():
    cell = Cell(after_takeover="resume")
    cell.now_ns = 50_000 * MS
    cell.drive()
    cell.ticks(30, pressed=True, x=0.3)
    cell.now_ns = 2_000 * MS
    jumped = cell.ticks(1)
    assert (jumped.mode, jumped.source, jumped.action) == (HOLD, "", None)
    assert "the clock went back" in jumped.reason.text
    assert cell.ticks(10, pressed=True).mode is HOLD
    cell.ticks(2, pressed=False)
    assert cell.ticks(1, pressed=True).mode is HUMAN


def test_a_press_that_cannot_be_followed_pauses_the_policy_and_is_reported():
    cell = Cell(after_takeover="resume")
    cell.drive()
    cell.ticks(40)
    cell.chunk()
    cell.executor.takeover.on_dead_man("stick", False, cell.now_ns, cell.now_ns)
    cell.executor.takeover.on_dead_man("stick", True, cell.now_ns + 1, cell.now_ns + 1)  # its twist is old
    command = cell.tick()
    assert (command.mode, command.reason.code) == (HOLD, ReasonCode.HUMAN_CONTROL)
    assert "the takeover was refused: stick: the motion on /twist is 0.4" in command.reason.text
    cell.chunk()
    assert cell.ticks(60).mode is HOLD
    assert cell.executor.arbitration.resume() is None
    cell.chunk()
    command = cell.ticks(2)
    assert command.mode is POLICY and command.reason == Reason(ReasonCode.OK)


def test_a_button_that_is_stuck_at_the_start_is_reported_and_stops_nothing():
    cell = Cell()
    cell.stick(True)
    cell.chunk()
    command = cell.ticks(3, pressed=True)
    assert command.mode is POLICY and command.reason.ok
    assert "stick: the dead-man switch has not been seen released yet" in command.reason.text


def test_a_press_with_a_clock_of_its_own_is_reported():
    cell = Cell()
    cell.drive()
    for _ in range(3):
        cell.executor.takeover.on_dead_man("stick", True, cell.now_ns - 3_000 * MS, cell.now_ns)
        cell.tick()
    assert "stick: the dead-man switch's newest sample is 3.0" in cell.last.reason.text


def test_while_nothing_measures_the_robot_nobody_takes_it_from_rest():
    cell = Cell()
    cell.ticks(2, pressed=False)
    cell.stick(True)
    lost = Reason(ReasonCode.FEEDBACK_MISSING, "'ee_pose' is old")
    command = cell.executor.tick(cell.now_ns + TICK_NS, lost)
    assert command.mode is HOLD and "where the robot is, is not known" in command.reason.text


def test_two_sources_the_first_of_the_spec_drives_and_the_other_is_reported():
    pedal = {**TWIST, "name": "second", "dead_man": {"topic": "/pedal_2"}}
    cell = Cell(moving_robot(STICK, pedal))
    for pressed in (False, True, True):
        cell.stick(pressed)
        cell.stick(pressed, name="second")
        cell.tick()
    assert cell.last.source == "stick"
    assert "second is pressed, too; stick comes first" in cell.last.reason.text


def test_control_taken_away_by_the_arbitration_ends_the_turn():
    cell = Cell()
    cell.drive()
    cell.ticks(20, pressed=True, x=0.4)
    cell.executor.arbitration.hand_back()
    assert cell.ticks(1, pressed=True, x=0.4).mode is HOLD
    assert cell.ticks(10, pressed=True).mode is HOLD


def test_in_shadow_mode_the_operator_is_followed_from_where_the_robot_is():
    cell = Cell(control_enabled=False)
    cell.drive()
    x = cell.position[0]
    command = cell.ticks(50, pressed=True, x=0.2)
    assert command.mode is HUMAN and command.action is not None
    assert 0.02 < command.action[0] - x < 0.2 and cell.position[0] == x
