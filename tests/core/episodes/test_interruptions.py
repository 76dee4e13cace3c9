# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a monitor forgets when somebody else drove, and what it must not forget."""

import pytest

from lbm_policy_node.core.episodes.interruptions import Interruptions
from lbm_policy_node.core.execution.arbitration import ControlMode as Mode
from lbm_policy_node.core.reasons import ReasonCode as Code

POLICY = (Mode.POLICY, Code.OK)
STARVED = (Mode.HOLD, Code.CHUNK_STALE)
IDLE = (Mode.HOLD, Code.POLICY_NOT_RUNNING)
ALARM = (Mode.HOLD, Code.MONITOR_STOP)
HUMAN = (Mode.HUMAN, Code.HUMAN_CONTROL)
HANDED_BACK = (Mode.HOLD, Code.HUMAN_CONTROL)
STOPPED = (Mode.STOPPED, Code.E_STOP)
RELEASED = (Mode.HOLD, Code.E_STOP)


def reasons(*states: tuple[int, int]) -> list[str]:
    interruptions = Interruptions()
    return [interruptions.on_control(mode, code) for mode, code in states]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((POLICY, POLICY, STARVED, POLICY, IDLE, POLICY), [""] * 6),
        ((POLICY, HUMAN, HUMAN, HANDED_BACK), ["", "the operator took over", "", "the operator handed back"]),
        ((HANDED_BACK, HANDED_BACK, POLICY), ["", "", "a hold was lifted"]),
        ((POLICY, ALARM, ALARM, POLICY), ["", "", "", "a hold was lifted"]),
        ((ALARM, IDLE), ["", "a hold was lifted"]),
        ((ALARM, HUMAN, POLICY), ["", "the operator took over", "the operator handed back"]),
        ((POLICY, STOPPED, RELEASED, POLICY), ["", "", "the emergency stop was reset", "a hold was lifted"]),
        ((HUMAN, STOPPED, STOPPED), ["", "the operator handed back", ""]),
        ((STOPPED, HUMAN), ["", "the operator took over"]),
        (((77, 0), (78, 999), POLICY), ["", "", ""]),
    ],
)
def test_who_drove_decides_whether_the_monitor_starts_over(states, expected):
    assert reasons(*states) == expected


@pytest.mark.parametrize("state", [POLICY, STARVED, ALARM, HUMAN, STOPPED])
def test_the_first_state_that_is_heard_changes_nothing(state):
    assert reasons(state) == [""]


def test_a_run_that_began_while_the_robot_waited_keeps_its_first_chunk():
    interruptions = Interruptions()
    interruptions.on_chunk(0)  # of the run that is stopped below
    interruptions.on_control(*POLICY)
    interruptions.on_control(*ALARM)
    interruptions.on_chunk(7)
    interruptions.on_chunk(0)
    assert interruptions.on_control(*POLICY) == ""
    interruptions.on_control(*ALARM)
    interruptions.on_chunk(1)
    assert interruptions.on_control(*POLICY) == "a hold was lifted"


def test_a_run_that_began_under_the_operators_hand_does_not_survive_the_hand_back():
    interruptions = Interruptions()
    interruptions.on_control(*HUMAN)
    interruptions.on_chunk(0)
    assert interruptions.on_control(*POLICY) == "the operator handed back"
