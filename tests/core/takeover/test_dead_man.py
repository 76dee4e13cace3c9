# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The dead-man switch: a fresh press drives, a release ends it 0.5 s later, staleness ends it at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.takeover.dead_man import RELEASE_NS, DeadMan, DeadManState

MS = 1_000_000
MAX_AGE_NS, SKEW_NS = 250 * MS, 60 * MS


def pressed_at(now_ns: int) -> DeadMan:
    dead_man = DeadMan(MAX_AGE_NS, SKEW_NS)
    dead_man.on_sample(False, now_ns - 10 * MS, now_ns - 10 * MS)
    dead_man.on_sample(True, now_ns, now_ns)
    assert dead_man.state is DeadManState.PRESSED
    return dead_man


def test_a_button_that_is_down_at_the_start_does_not_take_over():
    dead_man = DeadMan(MAX_AGE_NS, SKEW_NS)
    dead_man.on_sample(True, 0, 0)
    assert dead_man.tick(10 * MS) is DeadManState.LOST
    assert dead_man.reason.code == ReasonCode.OBSERVATION_MISSING


@given(st.integers(1, 100), st.integers(0, 20))
def test_control_ends_in_the_first_tick_at_half_a_second_after_the_release(period_ms: int, phase_ms: int):
    released_ns = 1000 * MS
    dead_man = pressed_at(released_ns - 50 * MS)
    dead_man.on_sample(False, released_ns, released_ns)
    now_ns = released_ns + phase_ms * MS
    while now_ns < released_ns + 2 * RELEASE_NS:
        if now_ns > released_ns:
            dead_man.on_sample(False, now_ns, now_ns)
        state = dead_man.tick(now_ns)
        expected = now_ns - released_ns < RELEASE_NS
        assert state is (DeadManState.RELEASING if expected else DeadManState.RELEASED)
        now_ns += period_ms * MS


def test_pressing_again_within_the_hysteresis_keeps_control():
    dead_man = pressed_at(0)
    dead_man.on_sample(False, 100 * MS, 100 * MS)
    dead_man.on_sample(True, 200 * MS, 200 * MS)
    dead_man.on_sample(True, 400 * MS, 400 * MS)
    assert dead_man.tick(640 * MS) is DeadManState.PRESSED


@pytest.mark.parametrize("let_go", [False, True])
def test_a_stale_signal_is_lost_and_takes_a_release_and_a_press(let_go: bool):
    dead_man = pressed_at(0)
    if let_go:
        dead_man.on_sample(False, 1, 1)
    assert dead_man.tick(MAX_AGE_NS).value >= DeadManState.PRESSED
    assert dead_man.tick(MAX_AGE_NS + 2) is DeadManState.LOST
    assert dead_man.reason.code == ReasonCode.OBSERVATION_STALE
    now_ns = 400 * MS
    dead_man.on_sample(True, now_ns, now_ns)
    assert dead_man.tick(now_ns) is DeadManState.LOST
    dead_man.on_sample(False, now_ns + 1, now_ns + 1)
    dead_man.on_sample(True, now_ns + 2, now_ns + 2)
    assert dead_man.tick(now_ns + 2) is DeadManState.PRESSED and dead_man.reason.ok


def test_a_gap_between_two_presses_is_noticed_without_a_tick():
    dead_man = pressed_at(0)
    dead_man.on_sample(True, 300 * MS, 300 * MS)
    assert dead_man.state is DeadManState.LOST


def test_samples_from_the_future_or_the_past_do_not_count():
    dead_man = pressed_at(1000 * MS)
    dead_man.on_sample(False, 1100 * MS, 1010 * MS)
    dead_man.on_sample(False, 700 * MS, 1010 * MS)
    dead_man.on_sample(False, 990 * MS, 1010 * MS)
    assert dead_man.state is DeadManState.PRESSED
    dead_man.on_sample(False, 1050 * MS, 1010 * MS)
    assert dead_man.state is DeadManState.RELEASING


def test_a_clock_that_goes_back_pauses_and_the_new_time_counts():
    dead_man = pressed_at(10_000 * MS)
    assert dead_man.tick(1000 * MS) is DeadManState.LOST
    dead_man.on_sample(False, 1010 * MS, 1010 * MS)
    dead_man.on_sample(True, 1020 * MS, 1020 * MS)
    assert dead_man.state is DeadManState.PRESSED


def test_an_idle_signal_may_be_silent():
    dead_man = DeadMan(MAX_AGE_NS, SKEW_NS)
    dead_man.on_sample(False, 0, 0)
    assert dead_man.tick(10_000 * MS) is DeadManState.RELEASED
