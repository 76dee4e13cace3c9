# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator's command stays near a robot that does not follow, and nothing winds up meanwhile."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from helpers.examples import examples
from helpers.takeover_cell import HOME, MS, STICK, TICK_NS, Cell
from helpers.teleop_robots import (
    POSE,
    SECOND,
    TURNING_START,
    TWIST,
    at_rest,
    leading_robot,
    moving_robot,
    turning_robot,
)
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.kinds.twist import TwistSample
from lbm_policy_node.core.takeover.leash import Leash
from lbm_policy_node.core.takeover.takeover import Takeover
from lbm_policy_node.core.types import Array

LEASH = 0.15
WALL = 0.1
PUSHED = 200
"""Ticks of pushing, 2 s: without a leash a stick at 0.4 m/s would be 0.7 m ahead."""
TURNING = turning_robot(TWIST)
TRACKED = moving_robot({**POSE, "max_jump_m": 1.0})
LEADING = leading_robot(max_jump_rad=4.0)


class BlockedCell(Cell):
    """A cell whose robot goes no farther along x than a wall."""

    wall = np.inf

    def push(self, ticks: int, x: float, *, pressed: bool = True) -> None:
        """Drive against the wall; the command may move away from the robot as far as the leash."""
        for _ in range(ticks):
            self.stick(pressed, x)
            self.tick()

    def tick(self, step_ns: int = TICK_NS):
        """Tick, and check that the command went no farther off than the leash, or than it was."""
        if not self.commands or self.last.action is None:  # nothing holds it: a turn begins where it is
            self.position[0] = min(self.position[0], self.wall)
        self.lag[0] = max(self.position[0] - self.wall, 0.0)
        measured, before = self.position[0] - self.lag[0], self.position[0]
        command = super().tick(step_ns)
        if command.mode is ControlMode.HUMAN and command.action is not None:
            lead = abs(command.action[0] - measured)
            assert lead <= max(LEASH, abs(before - measured)) + 1e-9
        return command


def blocked() -> BlockedCell:
    cell = BlockedCell()
    cell.push(2, 0.0, pressed=False)
    cell.push(40, 0.0)
    cell.wall = WALL
    return cell


def test_against_a_wall_the_command_ends_at_the_leash_and_the_reason_says_so():
    cell = blocked()
    cell.push(20, 0.4)
    assert cell.last.reason.text == "the operator drives"
    cell.push(PUSHED, 0.4)
    assert cell.position[0] == pytest.approx(WALL + LEASH)
    assert cell.mode is ControlMode.HUMAN and cell.last.reason.code == ReasonCode.HUMAN_CONTROL
    assert (
        cell.last.reason.text == "the operator drives; stick: the hand is 0.15 m behind its target: held back"
    )
    cell.push(1, 0.0)
    assert cell.last.reason.text == "the operator drives"


def test_the_stick_acts_at_once_after_long_pushing():
    cell = blocked()
    cell.push(PUSHED, 0.4)
    x = cell.position[0]
    cell.push(3, 0.0)
    assert cell.position[0] == x
    cell.push(1, -0.4)
    assert cell.position[0] == pytest.approx(x - 0.4 * TICK_NS / 1e9)


def test_the_way_past_the_wall_stays_open():
    cell = blocked()
    cell.push(PUSHED, 0.4)
    z = cell.position[2]
    for _ in range(50):
        takeover = cell.executor.takeover
        takeover.on_sample(
            "stick", TwistSample(np.array([0.4, 0.0, 0.2]), np.zeros(3), "base"), cell.now_ns, cell.now_ns
        )
        takeover.on_dead_man("stick", True, cell.now_ns, cell.now_ns)
        cell.tick()
    assert cell.position[2] - z == pytest.approx(0.1)


def test_a_wall_that_goes_away_lets_the_command_go_on_from_where_it_is():
    cell = blocked()
    cell.push(PUSHED, 0.4)
    x, cell.wall = cell.position[0], np.inf
    cell.push(10, 0.4)
    assert cell.position[0] == pytest.approx(x + 10 * 0.4 * TICK_NS / 1e9)
    assert "held back" not in cell.last.reason.text


def test_what_is_too_far_off_already_is_not_pulled_back():
    cell = blocked()
    cell.push(PUSHED, 0.4)
    x, cell.wall = cell.position[0], WALL - 0.3  # somebody pushes the robot away
    cell.push(50, 0.0)
    assert cell.position[0] == x
    cell.push(50, 0.4)
    assert cell.position[0] == x and "the hand is 0.45 m behind" in cell.last.reason.text


def test_letting_go_of_the_dead_man_while_held_back_moves_nothing():
    cell = blocked()
    cell.push(PUSHED, 0.4)
    x = cell.position[0]
    cell.push(60, 0.4, pressed=False)
    assert cell.mode is ControlMode.HOLD and cell.position[0] == x


def test_without_feedback_a_turn_goes_on_as_before_and_nothing_is_held_back():
    cell = blocked()
    lost = Reason(ReasonCode.FEEDBACK_MISSING, "'ee_pose' is old")
    cell.wall = np.inf
    for _ in range(60):
        cell.stick(True, 0.4)
        cell.now_ns += TICK_NS
        command = cell.executor.tick(cell.now_ns, lost)
    assert command.mode is ControlMode.HUMAN and command.action is not None
    assert command.action[0] == pytest.approx(60 * 0.4 * TICK_NS / 1e9)


def test_in_shadow_mode_where_nobody_follows_nothing_is_held_back():
    cell = Cell(control_enabled=False)
    cell.ticks(2, pressed=False)
    command = cell.ticks(100, pressed=True, x=0.4)
    assert command.action is not None and command.action[0] > 0.3
    assert "held back" not in command.reason.text


@pytest.mark.slow
@examples(50)
@given(
    st.lists(
        st.tuples(
            st.floats(-3.0, 3.0),
            st.sampled_from([np.inf, 0.3, 0.1, 0.0, -0.2]),
            st.booleans(),
            st.integers(1, 40),
            st.sampled_from([1 * MS, TICK_NS, TICK_NS, 40 * MS, 130 * MS]),
        ),
        max_size=15,
    )
)
def test_no_sequence_of_walls_and_sticks_goes_beyond_the_leash_or_the_speed_limit(events):
    cell = blocked()
    for speed, wall, pressed, ticks, step_ns in events:
        cell.wall = wall
        for _ in range(ticks):
            cell.stick(pressed, speed)
            cell.tick(step_ns)


def hold(leash: Leash, before: Array, wanted: Array, measured: Array) -> Array:
    return leash.hold(before, wanted, measured).action


def leash_of(spec: RobotSpec) -> Leash:
    return Leash(spec, ActionLimits(spec))


def test_columns_that_nothing_measures_and_grippers_have_no_leash():
    leash = leash_of(moving_robot(STICK))
    wanted = np.array([0.5, 0.6, 0.2, -1.0])
    held = leash.hold(HOME, wanted, np.array([np.nan, np.nan, 0.2, 1.0]))
    assert not held.columns.any() and held.text == ""
    np.testing.assert_array_equal(held.action, wanted)
    assert not leash.hold(HOME, wanted, None).columns.any()


def turned_by(angle: float, axis: str = "z") -> Array:
    start = TURNING_START.copy()
    start[3:7] = Rotation.from_euler(axis, angle).as_quat()
    return start


def test_an_orientation_is_held_at_its_leash_and_may_turn_about_another_axis():
    leash = leash_of(TURNING)
    held = leash.hold(turned_by(0.25), turned_by(0.5), turned_by(0.0))
    angle = Rotation.from_quat(held.action[3:7]).magnitude()
    assert angle == pytest.approx(0.3) and held.columns[3:7].all() and not held.columns[:3].any()
    assert held.text == "the hand is turned 0.30 rad less than its target: held back"
    sideways = turned_by(0.3)
    turn = Rotation.from_rotvec([0.1, 0.0, 0.0]) * Rotation.from_quat(sideways[3:7])
    sideways[3:7] = turn.as_quat()
    aside = Rotation.from_quat(hold(leash, turned_by(0.3), sideways, turned_by(0.0))[3:7])
    assert aside.magnitude() == pytest.approx(0.3) and aside.as_rotvec()[0] > 0.08
    np.testing.assert_array_equal(hold(leash, turned_by(0.6), turned_by(0.5), turned_by(0.0)), turned_by(0.5))


ANGLES = st.tuples(*[st.floats(-1.0, 1.0)] * 3)


@examples(200)
@given(ANGLES, ANGLES, ANGLES)
def test_an_orientation_never_goes_farther_off_than_the_leash_or_than_it_was(before, wanted, measured):
    rows = [TURNING_START.copy() for _ in range(3)]
    for row, vector in zip(rows, (before, wanted, measured), strict=True):
        row[3:7] = Rotation.from_rotvec(vector).as_quat()
    turns = [Rotation.from_quat(row[3:7]) for row in (*rows, hold(leash_of(TURNING), *rows))]
    was, is_now = ((turns[i] * turns[2].inv()).magnitude() for i in (0, 3))
    assert is_now <= max(0.3, was) + 1e-6


class Blocked:
    """A source of one robot that does not move at all."""

    def __init__(self, spec: RobotSpec, start: Array) -> None:
        self.spec, self.start, self.action = spec, start, start
        self.takeover = Takeover(spec, ActionLimits(spec))
        self.name = spec.teleop[0].name
        self.now_ns = SECOND
        self.reported: tuple[str, ...] = ()
        self.takeover.on_dead_man(self.name, False, SECOND, SECOND)

    def drive(self, samples: list[object]) -> Array:
        """Follow one sample per tick of 10 ms, dead-man switch held."""
        spins = len(ActionLimits(self.spec).layout.rotations)
        for sample in samples:
            self.now_ns += TICK_NS
            assert self.takeover.on_sample(self.name, sample, self.now_ns, self.now_ns) is None
            self.takeover.on_dead_man(self.name, True, self.now_ns, self.now_ns)
            motion = at_rest(self.start, self.now_ns, spins)
            turn = self.takeover.tick(self.now_ns, motion, self.start)
            assert turn.source == self.name and turn.action is not None
            self.action, self.reported = turn.action, turn.complaints
        return self.action


def pose(x: float) -> PoseSample:
    return PoseSample(np.array([x, 0.0, 0.0]), Rotation.identity().as_quat(), "base")


def joints(position: float) -> JointSample:
    values = np.array([position, 0.0, 0.0, 0.0, 0.0, 0.0])
    return JointSample(LEADING.action_names, values, np.empty(0), np.empty(0))


@pytest.mark.parametrize(
    ("spec", "start", "sample", "leash"),
    [(TRACKED, HOME, pose, LEASH), (LEADING, np.zeros(6), joints, 0.3)],
    ids=["tracker", "leader"],
)
def test_a_device_whose_motion_counts_from_the_takeover_turns_back_at_once(
    spec: RobotSpec, start: Array, sample: Any, leash: float
):
    start = np.nan_to_num(start)
    robot = Blocked(spec, start)
    pushed = robot.drive([sample(2.0 * tick / 200) for tick in range(200)])
    assert pushed[0] - start[0] == pytest.approx(leash)
    assert "behind its target: held back" in robot.reported[0]
    back = robot.drive([sample(1.99 - 0.005)])
    assert back[0] == pytest.approx(pushed[0] - 0.005) and not robot.reported


def test_a_turn_that_is_held_back_turns_back_at_once():
    robot = Blocked(TURNING, TURNING_START)
    robot.drive([TwistSample(np.zeros(3), np.array([0.0, 0.0, rate]), "base") for rate in [0.8] * 200])
    turned = Rotation.from_quat(robot.action[3:7]).magnitude()
    assert turned == pytest.approx(0.3) and "turned 0.30 rad less" in robot.reported[0]
    robot.drive([TwistSample(np.zeros(3), np.array([0.0, 0.0, -0.8]), "base")])
    assert Rotation.from_quat(robot.action[3:7]).magnitude() == pytest.approx(0.3 - 0.008, abs=1e-6)


def test_a_device_without_a_clutch_comes_back_to_the_command_before_it_moves():
    robot = Blocked(leading_robot(max_jump_rad=4.0, clutch=False), np.zeros(6))
    robot.drive([joints(min(0.01 * tick, 1.0)) for tick in range(200)])
    assert robot.action[0] == pytest.approx(0.3)
    assert robot.drive([joints(0.4)])[0] == pytest.approx(0.3)
    assert robot.drive([joints(0.28)])[0] == pytest.approx(0.28)
