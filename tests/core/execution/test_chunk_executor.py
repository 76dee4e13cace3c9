# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The executor moves the robot only while everything is in order, and comes to rest otherwise."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_chunk
from helpers.examples import examples
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk, Array

MS = 1_000_000
HOME = np.array([0.0, 0.6, 0.2, np.nan])
TICK_MS = 10


def chunk(chunk_id: int, at_ms: int, rows: Any, **changes: Any) -> ActionChunk:
    values: dict[str, Any] = {"chunk_id": chunk_id, "observation_stamp_ns": at_ms * MS, "actions": rows}
    return make_chunk(**(values | changes))


def ramp(rows: int = 8, start: float = 0.0, step: float = 0.01, gripper: float = -1.0) -> list[list[float]]:
    return [[start + step * (i + 1), 0.6, 0.2, gripper] for i in range(rows)]


def running(spec: RobotSpec, config: ChunkExecutorConfig | None = None, **changes: Any) -> ChunkExecutor:
    executor = ChunkExecutor(spec, config, **changes)
    executor.on_policy_state(PolicyState.RUNNING)
    return executor


def drive(executor: ChunkExecutor, start_ms: int, stop_ms: int, measured: Any = HOME) -> list[Command]:
    """Tick like a controller: the measured position follows the command."""
    commands = []
    for now_ms in range(start_ms, stop_ms, TICK_MS):
        command = executor.tick(now_ms * MS, measured)
        if command.action is not None and not isinstance(measured, Reason):
            measured = np.where(np.isnan(HOME), np.nan, command.action)
        commands.append(command)
    return commands


def sent(command: Command) -> Array:
    assert command.action is not None, command.reason
    return command.action


def xs(commands: list[Command]) -> list[float]:
    return [float(c.action[0]) for c in commands if c.action is not None]


def test_without_a_chunk_it_holds_and_sends_nothing(spec: RobotSpec):
    command = running(spec).tick(0, HOME)
    assert (command.mode, command.reason.code) == (ControlMode.HOLD, ReasonCode.NO_CHUNK)
    assert command.action is None and command.proposed is None


def test_a_chunk_is_executed_at_its_times_from_where_the_robot_is(spec: RobotSpec):
    executor = running(spec)
    assert executor.on_chunk(chunk(1, 1_000, ramp()), 1_010 * MS) is None
    commands = drive(executor, 1_010, 1_401)
    assert all(c.mode is ControlMode.POLICY and c.reason.ok and c.chunk_id == 1 for c in commands)
    by_time = {1_010 + TICK_MS * i: sent(c) for i, c in enumerate(commands)}
    assert by_time[1_010][0] == 0.0
    for row, action in enumerate(ramp()):
        np.testing.assert_allclose(by_time[1_050 + 50 * row], action, atol=1e-12)


def test_inference_delay_trims_the_past_instead_of_shifting_the_motion(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_170 * MS)  # rows of 1050, 1100 and 1150 are past
    commands = drive(executor, 1_170, 1_401)
    np.testing.assert_allclose(sent(commands[3]), ramp()[3], atol=1e-12)
    assert executor.mode is ControlMode.POLICY


def test_the_gripper_switches_at_its_row_and_is_never_in_between(spec: RobotSpec):
    executor = running(spec)
    rows = [*ramp(3), *ramp(3, start=0.03, gripper=1.0)]
    executor.on_chunk(chunk(1, 1_000, rows), 1_000 * MS)
    commands = drive(executor, 1_000, 1_301)
    grippers = [float(c.action[3]) for c in commands if c.action is not None]
    assert grippers == [-1.0] * 20 + [1.0] * 11


def test_a_policy_that_does_not_run_moves_nothing(spec: RobotSpec):
    executor = ChunkExecutor(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    command = executor.tick(1_010 * MS, HOME)
    assert (command.mode, command.reason.code) == (ControlMode.HOLD, ReasonCode.POLICY_NOT_RUNNING)
    assert command.action is None
    assert command.proposed is not None  # what it would do is still shown
    executor.on_policy_state(PolicyState.RUNNING)
    assert executor.tick(1_020 * MS, HOME).mode is ControlMode.POLICY


@pytest.mark.parametrize("merge", ["receding_horizon", "temporal_ensembling", "linear_blend"])
def test_a_killed_policy_leads_to_hold_without_a_jump(spec: RobotSpec, merge: str):
    executor = running(spec, ChunkExecutorConfig(merge=merge, stop_s=0.2))
    executor.on_chunk(chunk(1, 1_000, ramp(step=0.02)), 1_000 * MS)
    commands = drive(executor, 1_000, 2_500)
    positions = np.array(xs(commands))
    last = commands[-1]
    assert (last.mode, last.reason.code) == (ControlMode.HOLD, ReasonCode.CHUNK_STALE)
    assert last.action is None  # at rest for long: nothing is sent
    steps = np.diff(positions)
    assert steps.max() <= 0.02 / 5 + 1e-9 and steps.min() >= -1e-9
    assert np.all(steps[-40:] == 0.0)
    assert 0.16 < positions[-1] < 0.16 + 0.4 * 0.2 / 2 + 1e-9


def test_a_blocked_policy_finishes_its_chunk_then_holds_with_the_cause_and_recovers(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    drive(executor, 1_000, 1_050)
    executor.on_policy_state(PolicyState.BLOCKED, Reason(ReasonCode.OBSERVATION_STALE, "'front' is old"))
    commands = drive(executor, 1_050, 2_000)
    assert commands[0].mode is ControlMode.POLICY
    assert (commands[-1].mode, commands[-1].reason.code) == (ControlMode.HOLD, ReasonCode.OBSERVATION_STALE)
    executor.on_policy_state(PolicyState.RUNNING)
    executor.on_chunk(chunk(2, 2_000, ramp(start=0.09)), 2_000 * MS)
    here = np.array([0.09, 0.6, 0.2, np.nan])
    assert drive(executor, 2_010, 2_100, here)[-1].mode is ControlMode.POLICY


def test_a_goal_that_ends_decelerates_to_hold(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp(step=0.02)), 1_000 * MS)
    moving = drive(executor, 1_000, 1_200)
    executor.on_policy_state(PolicyState.IDLE)
    commands = drive(executor, 1_200, 1_600)
    assert commands[0].reason.code == ReasonCode.POLICY_NOT_RUNNING
    steps = np.diff([xs(moving)[-1], *xs(commands)])
    assert np.all(np.diff(steps) <= 1e-9) and steps[0] > 0 and steps[-1] == 0.0


@pytest.mark.parametrize(
    ("rows", "code", "text"),
    [
        ([*ramp(3), [np.nan, 0.6, 0.2, 0.0]], ReasonCode.CHUNK_NON_FINITE, "row 3: x is nan"),
        ([[0.0, 0.6, 0.2, 3.0]] * 2, ReasonCode.POSITION_LIMIT, "gripper"),
        ([[0.0, 0.6, -0.1, 0.0]] * 2, ReasonCode.POSITION_LIMIT, "z"),
        ([[0.0, 0.6, 0.2, 0.0], [0.1, 0.6, 0.2, 0.0]], ReasonCode.VELOCITY_LIMIT, "row 1: speed of x is 2/s"),
        ([[0.3, 0.6, 0.2, 0.0]] * 8, ReasonCode.START_JUMP, "x is 0.3"),
    ],
)
def test_a_chunk_that_breaks_a_limit_is_refused_whole(
    spec: RobotSpec, rows: Any, code: ReasonCode, text: str
):
    executor = running(spec)
    executor.tick(990 * MS, HOME)
    refused = executor.on_chunk(chunk(1, 1_000, rows), 1_000 * MS)
    assert refused is not None and refused.code == code and text in refused.text
    command = executor.tick(1_010 * MS, HOME)
    assert (command.mode, command.reason, command.action) == (ControlMode.HOLD, refused, None)
    assert executor.on_chunk(chunk(2, 1_010, ramp()), 1_020 * MS) is None
    assert executor.tick(1_030 * MS, HOME).mode is ControlMode.POLICY


def test_a_refused_chunk_leaves_the_good_one_in_execution_and_explains_the_end(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp(4)), 1_000 * MS)
    drive(executor, 1_000, 1_100)
    executor.on_chunk(chunk(2, 1_100, [[np.inf] * 4]), 1_110 * MS)
    commands = drive(executor, 1_110, 1_500)
    assert commands[0].mode is ControlMode.POLICY and commands[0].chunk_id == 1
    assert (commands[-1].mode, commands[-1].reason.code) == (ControlMode.HOLD, ReasonCode.CHUNK_NON_FINITE)


def test_the_start_is_checked_again_when_control_begins(spec: RobotSpec):
    executor = running(spec)
    assert executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS) is None  # no feedback yet to compare with
    command = executor.tick(1_010 * MS, np.array([0.4, 0.6, 0.2, np.nan]))
    assert (command.mode, command.reason.code, command.action) == (
        ControlMode.HOLD,
        ReasonCode.START_JUMP,
        None,
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"action_names": ("y", "x", "z", "gripper")}, ReasonCode.CHUNK_WRONG_LAYOUT),
        ({"start_ns": 100 * MS}, ReasonCode.CHUNK_PAST),
        ({"observation_stamp_ns": 5_000 * MS}, ReasonCode.CHUNK_STALE),
        ({"observation_stamp_ns": -5_000 * MS}, ReasonCode.CHUNK_STALE),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused(spec: RobotSpec, change: dict[str, Any], code: ReasonCode):
    refused = running(spec).on_chunk(chunk(1, 1_000, ramp(), **change), 1_000 * MS)
    assert refused is not None and refused.code == code


def test_duplicates_and_older_chunks_are_refused(spec: RobotSpec):
    executor = running(spec)
    assert executor.on_chunk(chunk(5, 1_000, ramp()), 1_000 * MS) is None
    for other in (chunk(5, 1_000, ramp()), chunk(6, 990, ramp()), chunk(4, 1_000, ramp())):
        refused = executor.on_chunk(other, 1_010 * MS)
        assert refused is not None and refused.code == ReasonCode.CHUNK_STALE
    assert (
        executor.on_chunk(chunk(1, 1_100, ramp()), 1_100 * MS) is None
    )  # a new policy process counts from 1


def test_an_old_plan_is_not_executed_to_its_end(spec: RobotSpec):
    executor = running(spec, ChunkExecutorConfig(max_chunk_age_s=0.3))
    executor.on_chunk(chunk(1, 1_000, ramp(20)), 1_000 * MS)
    commands = drive(executor, 1_000, 1_400)
    assert [c.mode for c in commands].count(ControlMode.POLICY) == 31
    assert commands[-1].reason.code == ReasonCode.CHUNK_STALE


@pytest.mark.parametrize(
    "measured",
    [Reason(ReasonCode.FEEDBACK_MISSING, "old"), np.array([np.nan, 0.6, 0.2, np.nan]), np.zeros(2)],
    ids=["reason", "NaN", "shape"],
)
def test_without_feedback_it_holds(spec: RobotSpec, measured: Any):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    drive(executor, 1_000, 1_100)
    command = executor.tick(1_110 * MS, measured)
    assert (command.mode, command.reason.code) == (ControlMode.HOLD, ReasonCode.FEEDBACK_MISSING)


def test_an_emergency_stop_latches_until_reset_and_does_not_go_on_by_itself(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp(step=0.02)), 1_000 * MS)
    drive(executor, 1_000, 1_200)
    executor.on_estop(True)
    command = executor.tick(1_200 * MS, HOME)
    assert (command.mode, command.reason.code) == (ControlMode.STOPPED, ReasonCode.E_STOP)
    assert command.stop is not None  # a trajectory controller gets a stop
    still_pressed = executor.reset_estop()
    assert still_pressed is not None and still_pressed.code == ReasonCode.ESTOP_STILL_PRESSED
    executor.on_estop(False)
    executor.on_chunk(chunk(2, 1_200, ramp(start=0.07)), 1_210 * MS)
    here = np.array([0.07, 0.6, 0.2, np.nan])
    assert executor.tick(1_210 * MS, here).mode is ControlMode.STOPPED
    assert executor.reset_estop() is None
    held = executor.tick(1_220 * MS, here)
    assert (held.mode, held.reason.code) == (ControlMode.HOLD, ReasonCode.E_STOP)
    assert held.stop is command.stop  # it is not obeyed yet, so it goes on
    assert executor.arbitration.resume() is None
    assert executor.tick(1_230 * MS, here).mode is ControlMode.POLICY


def test_pressing_again_stops_again_where_the_robot_is_but_a_repeating_device_does_not(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp(step=0.02)), 1_000 * MS)
    drive(executor, 1_000, 1_200)
    for now_ms in range(1_200, 3_200, TICK_MS):  # the device says so in each tick
        executor.on_estop(True)
        command = executor.tick(now_ms * MS, HOME)
    assert command.stop is None and command.action is None  # it may be moved by hand
    moved = HOME + np.array([0.05, 0.0, 0.0, 0.0])
    drive(executor, 3_200, 4_400, moved)
    executor.on_estop(True)
    command = executor.tick(4_400 * MS, moved)
    assert command.stop is not None
    np.testing.assert_allclose(sent(command)[:3], moved[:3])


def test_a_stop_between_two_ticks_is_not_missed(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    drive(executor, 1_000, 1_100)
    executor.on_estop(True)
    executor.on_estop(False)
    executor.reset_estop()
    executor.arbitration.resume()
    command = executor.tick(1_100 * MS, HOME)
    assert (command.mode, command.reason.code) == (ControlMode.HOLD, ReasonCode.NO_CHUNK)
    assert command.stop is not None


def test_a_takeover_silences_the_executor_and_control_starts_where_the_operator_left_the_robot(
    spec: RobotSpec,
):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    drive(executor, 1_000, 1_100)
    assert executor.arbitration.take_over() is None
    command = executor.tick(1_100 * MS, HOME)
    assert (command.mode, command.action) == (ControlMode.HUMAN, None)
    moved = np.array([0.05, 0.65, 0.2, np.nan])
    executor.tick(1_200 * MS, moved)
    executor.on_chunk(chunk(2, 1_200, [[0.06, 0.65, 0.2, 1.0]] * 8), 1_210 * MS)
    assert executor.tick(1_220 * MS, moved).proposed is not None
    executor.arbitration.hand_back()
    assert executor.tick(1_230 * MS, moved).mode is ControlMode.HOLD
    executor.arbitration.resume()
    assert executor.tick(1_240 * MS, moved).mode is ControlMode.HOLD  # the chunk was of the operator's turn
    executor.on_chunk(chunk(3, 1_240, [[0.06, 0.65, 0.2, 1.0]] * 8), 1_250 * MS)
    command = executor.tick(1_250 * MS, moved)
    assert command.mode is ControlMode.POLICY and command.action is not None
    np.testing.assert_allclose(command.action[:3], moved[:3])


def test_the_monitor_stops_until_resumed(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    drive(executor, 1_000, 1_100)
    executor.arbitration.monitor_stop("score 3.1 above 2.0")
    command = executor.tick(1_100 * MS, HOME)
    assert (command.mode, command.reason.code) == (ControlMode.HOLD, ReasonCode.MONITOR_STOP)
    assert "3.1" in command.reason.text


def test_a_clock_that_jumps_back_drops_plan_and_command_and_recovers(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(9, 5_000, ramp()), 5_000 * MS)
    drive(executor, 5_000, 5_100)
    command = executor.tick(100 * MS, HOME)
    assert (command.mode, command.reason.code, command.action) == (
        ControlMode.HOLD,
        ReasonCode.CLOCK_JUMPED,
        None,
    )
    assert executor.tick(110 * MS, HOME).action is None
    assert executor.on_chunk(chunk(1, 120, ramp()), 120 * MS) is None
    assert executor.tick(130 * MS, HOME).mode is ControlMode.POLICY


def test_a_robot_moved_while_at_rest_starts_the_next_goal_where_it_is(spec: RobotSpec):
    """As a simulator's reset or another controller does: the old goal's last command means nothing then."""
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_010 * MS)
    drive(executor, 1_010, 1_300)
    executor.on_policy_state(PolicyState.IDLE)
    drive(executor, 1_300, 3_000)
    moved = HOME + np.array([0.05, 0.05, 0.05, 0.0])
    drive(executor, 3_000, 3_050, moved)
    executor.on_policy_state(PolicyState.RUNNING)
    rows = [[0.05 + 0.01 * i, 0.65, 0.25, -1.0] for i in range(8)]
    assert executor.on_chunk(chunk(2, 3_050, rows), 3_060 * MS) is None
    first = executor.tick(3_060 * MS, moved)
    assert first.mode is ControlMode.POLICY
    np.testing.assert_allclose(sent(first)[:3], moved[:3], atol=0.005)


def test_in_shadow_mode_chunks_are_compared_with_the_robot_that_does_not_move(spec: RobotSpec):
    executor = running(spec, control_enabled=False)
    for i in range(12):
        now_ms = 1_000 + 100 * i
        assert executor.on_chunk(chunk(i + 1, now_ms, ramp(step=0.02)), now_ms * MS) is None
        for tick_ms in range(now_ms, now_ms + 100, TICK_MS):
            command = executor.tick(tick_ms * MS, HOME)
            assert command.mode is ControlMode.POLICY


def test_a_trajectory_controller_hears_of_each_change_of_plan_once(spec: RobotSpec):
    executor = running(spec)
    executor.on_chunk(chunk(1, 1_000, ramp()), 1_000 * MS)
    commands = drive(executor, 1_000, 1_200)
    executor.on_chunk(chunk(2, 1_180, ramp(start=0.04)), 1_200 * MS)
    commands += drive(executor, 1_200, 2_300)
    plans = [c.plan for c in commands if c.plan is not None]
    assert len(plans) == 2
    assert plans[1].times_ns[0] == 1_200 * MS
    stops = [c.stop for c in commands if c.stop is not None]
    assert len(stops) > 1 and all(stop is stops[0] for stop in stops)
    assert commands[-1].stop is None  # it stands


MOVES = st.lists(st.floats(-0.07, 0.07), min_size=1, max_size=6)


@examples(60)
@given(
    chunks=st.lists(st.tuples(st.integers(30, 500), st.integers(0, 200), MOVES), min_size=1, max_size=6),
    merge=st.sampled_from(["receding_horizon", "temporal_ensembling", "linear_blend"]),
    stop_ms=st.integers(0, 400),
    estop_at=st.integers(0, 200),
)
def test_whatever_arrives_the_command_keeps_the_speed_limit_and_stays_inside(
    spec: RobotSpec, chunks: Any, merge: str, stop_ms: int, estop_at: int
):
    limits = replace(spec.limits, acceleration={"x": 60.0, "y": 60.0, "z": 60.0})
    executor = running(replace(spec, limits=limits), ChunkExecutorConfig(merge=merge, stop_s=stop_ms / 1000))
    measured, now_ms, arrivals = HOME, 1_000, []
    for gap_ms, delay_ms, moves in chunks:
        now_ms += gap_ms
        arrivals.append((now_ms + delay_ms, now_ms, moves))
    previous, stop_tick = None, 1_000 + 20 * estop_at
    for tick_ms in range(1_000, 4_600, TICK_MS):
        for index, (due_ms, stamp_ms, moves) in enumerate(arrivals):
            if due_ms // TICK_MS == tick_ms // TICK_MS:
                rows = [[measured[0] + x, 0.6, 0.2, np.sign(x)] for x in np.cumsum(moves)]
                executor.on_chunk(chunk(index + 1, stamp_ms, rows), tick_ms * MS)
        if stop_tick <= tick_ms < stop_tick + TICK_MS:
            executor.on_estop(True)
        command = executor.tick(tick_ms * MS, measured)
        assert tick_ms < stop_tick or command.mode is ControlMode.STOPPED
        if command.action is None:
            previous = None
            continue
        if previous is not None:
            assert abs(command.action[0] - previous) <= 1.5 * TICK_MS / 1000 + 1e-9
        assert abs(command.action[0]) <= 0.55 + 1e-9
        previous = command.action[0]
        measured = np.where(np.isnan(HOME), np.nan, command.action)
    executor.tick(6_000 * MS, HOME)
    assert executor.tick(6_500 * MS, HOME).action is None
