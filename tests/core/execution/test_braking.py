# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Coming to rest is smooth, within the acceleration limits, and ends inside."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.sawyer import SAWYER, turning_sawyer
from lbm_policy_node.core.execution.braking import Brake, motion_between
from lbm_policy_node.core.execution.holding import SETTLE_NS, Holding
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import ReasonCode

MS = 1_000_000
WIDE = {"x": (-99.0, 99.0), "y": (-99.0, 99.0), "z": (-99.0, 99.0), "gripper": (-1.0, 1.0)}
ACCELERATION = 4.0
OPEN = ActionLimits(
    replace(
        SAWYER,
        limits=replace(
            SAWYER.limits, position=WIDE, workspace=None, acceleration=dict.fromkeys("xyz", ACCELERATION)
        ),
    )
)


SPEEDS = st.floats(-1.5, 1.5).filter(lambda speed: speed == 0.0 or abs(speed) >= 0.05)
"""Slower ones stop within microseconds, where the rounding to nanoseconds decides the differences."""


@given(st.tuples(SPEEDS, SPEEDS, SPEEDS), st.floats(0.0, 0.5))
def test_a_stop_keeps_the_acceleration_limit_and_never_speeds_up_or_turns_back(velocity, stop_s):
    before = np.array([0.0, 0.6, 0.2, -1.0])
    action = before + 0.01 * np.array([*velocity, 0.0])
    brake = Brake(OPEN, motion_between(OPEN, 0, before, 10 * MS, action), stop_s)
    assert brake.duration_s >= stop_s
    times = [10 * MS + round(brake.duration_s * 1e9 * i / 50) for i in range(61)]
    positions = np.array([brake.at(time_ns) for time_ns in times])
    np.testing.assert_allclose(positions[0], action, atol=1e-12)
    step_s = brake.duration_s / 50
    speeds = np.diff(positions[:, :3], axis=0) / step_s
    assert np.all(np.abs(speeds) <= np.abs(velocity) + 1e-5)
    assert np.all(np.abs(np.diff(speeds, axis=0)) / step_s <= ACCELERATION * 1.001 + 1e-2)
    assert np.all(speeds * np.sign(velocity) >= -1e-5)
    assert np.all(positions[51:] == positions[-1]) and np.all(positions[:, 3] == -1.0)


def test_a_stop_near_the_border_ends_at_the_border():
    limits = ActionLimits(SAWYER)
    before, action = np.array([0.535, 0.6, 0.2, 0.0]), np.array([0.55, 0.6, 0.2, 0.0])
    brake = Brake(limits, motion_between(limits, 0, before, 10 * MS, action), 0.2)
    assert brake.at(500 * MS)[0] == 0.55


def test_commands_at_the_same_time_are_no_motion():
    action = np.array([0.1, 0.6, 0.2, 0.0])
    motion = motion_between(OPEN, 10, action * 0.0, 10, action)
    np.testing.assert_array_equal(motion.velocity, np.zeros(4))


@pytest.mark.parametrize("now_ms", [20, 150, 305, 900])
def test_the_rest_of_a_stop_decelerates_to_speed_zero_and_lasts(now_ms):
    before, action = np.array([0.0, 0.6, 0.2, 0.0]), np.array([0.01, 0.6, 0.2, 0.0])
    brake = Brake(OPEN, motion_between(OPEN, 0, before, 10 * MS, action), 0.3)
    now_ns = now_ms * MS
    points = brake.rest_of(now_ns, 30 * MS)
    *slowing, rest, last = points
    for point in slowing:
        at_ns = now_ns + point.after_ns
        np.testing.assert_allclose(point.action, brake.at(at_ns))
        difference = (brake.at(at_ns + MS) - brake.at(at_ns - MS)) / 2e-3
        np.testing.assert_allclose(point.velocity, difference, atol=1e-6)
    assert rest.after_ns == max(brake.end_ns - now_ns, 30 * MS) and last.after_ns >= rest.after_ns + 100 * MS
    for point in (rest, last):
        np.testing.assert_array_equal(point.action, brake.at(brake.end_ns))
        np.testing.assert_array_equal(point.velocity, np.zeros(4))
    assert all(a.after_ns < b.after_ns for a, b in pairwise(points))


def test_a_stop_at_the_border_has_no_speed_there():
    limits = ActionLimits(SAWYER)
    before, action = np.array([0.535, 0.6, 0.2, 0.0]), np.array([0.55, 0.6, 0.2, 0.0])
    brake = Brake(limits, motion_between(limits, 0, before, 10 * MS, action), 0.2)
    assert brake.velocity_at(100 * MS)[0] == 0.0


def test_the_command_at_rest_is_repeated_for_a_while_and_then_nothing_is_sent():
    holding = Holding(SAWYER, OPEN)
    assert holding.at(0) is None and holding.stop is None
    action = np.array([0.1, 0.6, 0.2, 0.0])
    holding.drive(0, action, first=True)
    holding.brake(0, 0.1)
    rest_ns = 100 * MS
    np.testing.assert_array_equal(holding.at(rest_ns + SETTLE_NS), action)
    assert holding.at(rest_ns + SETTLE_NS + 1) is None
    assert holding.command is not None and not holding.obeyed


def test_a_released_robot_is_commanded_nothing():
    holding = Holding(SAWYER, OPEN)
    holding.drive(0, np.array([0.1, 0.6, 0.2, 0.0]), first=True)
    holding.brake(0, 0.1)
    holding.forget(end_stop=True)
    assert holding.at(10 * MS) is None and not holding.obeyed


def test_a_reset_does_not_cut_a_stop_short():
    holding = Holding(SAWYER, OPEN)
    holding.drive(0, np.array([0.1, 0.6, 0.2, 0.0]), first=True)
    holding.brake(0, 0.1)
    holding.forget(end_stop=False)
    assert holding.at(10 * MS) is not None and not holding.obeyed


def test_a_stop_is_repeated_until_the_robot_stands_and_says_so_when_it_does_not():
    holding = Holding(SAWYER, OPEN)
    holding.drive(0, np.array([0.1, 0.6, 0.2, 0.0]), first=True)
    holding.brake(0, 0.1)
    said = []
    for now_ms in range(0, 2_000, 10):
        where = np.array([0.1 + 0.2e-3 * min(now_ms, 1_500), 0.6, 0.2, np.nan])
        command = holding.at(now_ms * MS, where)
        if holding.not_obeyed is not None:
            assert holding.not_obeyed.code == ReasonCode.STOP_NOT_OBEYED and "x " in holding.not_obeyed.text
            said.append(now_ms)
        assert command is not None or now_ms > 1_500
    assert said[0] == 1_000 and 1_490 <= said[-1] < 1_900  # max(1 s, 3 x 0.1 s), until it stands
    assert holding.stop is None and holding.not_obeyed is None


def test_a_turn_comes_to_rest_too():
    limits = ActionLimits(turning_sawyer(velocity=2.0, acceleration=5.0, start_jump=0.3))
    angles = (0.0, 0.02)
    before, action = (np.array([0.0, 0.6, 0.2, 0.0, 0.0, np.sin(a / 2), np.cos(a / 2), 0.0]) for a in angles)
    brake = Brake(limits, motion_between(limits, 0, before, 10 * MS, action), 0.1)  # 2 rad/s
    assert brake.duration_s == pytest.approx(2.0 / 5.0)
    end = brake.at(brake.end_ns)
    assert 2.0 * np.arctan2(end[5], end[6]) == pytest.approx(0.02 + 2.0 * 0.4 / 2.0)
    np.testing.assert_allclose(brake.at(10 * MS), action, atol=1e-12)
