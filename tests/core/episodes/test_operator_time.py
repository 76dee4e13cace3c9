# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What counts as the operator's time: from the takeover until the policy may go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbm_policy_node.core.episodes.operator_time import SILENCE_NS, OperatorTime
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode

SECOND = 1_000_000_000
TICK_NS = 10_000_000
HOLD, POLICY, HUMAN, STOPPED = ControlMode
DRIVES = (HUMAN, ReasonCode.HUMAN_CONTROL)
WAITS = (HOLD, ReasonCode.HUMAN_CONTROL)
STARVES = (HOLD, ReasonCode.NO_CHUNK)
RUNS = (POLICY, ReasonCode.OK)
ALARMED = (HOLD, ReasonCode.MONITOR_STOP)
LATCHED = (STOPPED, ReasonCode.E_STOP)
AFTER_STOP = (HOLD, ReasonCode.E_STOP)
EVERY = (DRIVES, WAITS, STARVES, RUNS, ALARMED, LATCHED, AFTER_STOP)
TICKS = tuple[tuple[ControlMode, ReasonCode], int]


def counted(*phases: TICKS) -> float:
    """Return the operator's time after phases of (what a tick says, ticks), in ticks."""
    operator, now_ns = OperatorTime(), SECOND
    for tick, ticks in phases:
        for _ in range(ticks):
            now_ns += TICK_NS
            operator = operator.after(*tick, now_ns)
    return operator.until(now_ns + TICK_NS) / TICK_NS


@pytest.mark.parametrize(
    ("phases", "ticks"),
    [
        ([(RUNS, 50), (STARVES, 50), (ALARMED, 50), (LATCHED, 50), (AFTER_STOP, 50)], 0),
        ([(WAITS, 50)], 0),  # a press that was refused: nobody has taken over
        ([(RUNS, 5), (DRIVES, 20), (WAITS, 30), (RUNS, 10)], 50),
        ([(RUNS, 5), (DRIVES, 20), (STARVES, 30), (RUNS, 10)], 20),  # after_takeover is resume
        ([(ALARMED, 7), (DRIVES, 20), (WAITS, 30), (STARVES, 10)], 50),
        ([(DRIVES, 20), (LATCHED, 10), (AFTER_STOP, 10), (RUNS, 5)], 40),
        ([(LATCHED, 10), (DRIVES, 20), (AFTER_STOP, 10), (RUNS, 5), (ALARMED, 8)], 30),
        ([(DRIVES, 20), (RUNS, 5), (DRIVES, 10), (STARVES, 5)], 30),
        ([(RUNS, 5), (DRIVES, 20)], 20),
    ],
)
def test_the_operators_time_lasts_from_the_takeover_until_the_policy_may_go_on(phases, ticks):
    assert counted(*phases) == pytest.approx(ticks)


@given(st.lists(st.tuples(st.sampled_from(EVERY), st.integers(1, 60)), max_size=12))
def test_the_policys_time_and_the_operators_are_the_whole_time(phases):
    operator, policy, has = 0, 0, False
    for tick, ticks in phases:
        has = tick is DRIVES or (has and tick not in (RUNS, STARVES))
        operator, policy = operator + ticks * has, policy + ticks * (not has)
    assert counted(*phases) == pytest.approx(operator)
    assert operator + policy == sum(ticks for _, ticks in phases)


def test_an_executor_that_falls_silent_while_the_operator_drives_does_not_stop_the_time_for_ever():
    operator = OperatorTime().after(*DRIVES, SECOND)
    assert operator.until(SECOND + SILENCE_NS // 2) == SILENCE_NS // 2
    assert operator.until(100 * SECOND) == SILENCE_NS
    assert operator.after(*RUNS, 100 * SECOND).until(200 * SECOND) == SILENCE_NS


def test_a_tick_of_before_the_newest_one_takes_nothing_away():
    operator = OperatorTime().after(*DRIVES, 10 * SECOND).after(*DRIVES, 10 * SECOND + TICK_NS)
    assert operator.until(5 * SECOND) == TICK_NS
    assert operator.after(*DRIVES, 5 * SECOND).until(5 * SECOND) == TICK_NS
