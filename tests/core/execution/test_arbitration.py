# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Who drives is decided from latched events; a stop is never left by accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from lbm_policy_node.core.execution.arbitration import Arbitration, ControlMode, PolicyState
from lbm_policy_node.core.reasons import OK, Reason, ReasonCode

NO_CHUNK = Reason(ReasonCode.NO_CHUNK)
EVENTS = (
    "press",
    "release",
    "reset",
    "take_over",
    "hand_back",
    "let_go",
    "pause",
    "monitor_stop",
    "resume",
    "running",
    "blocked",
    "idle",
    "plan",
    "no_plan",
)


def apply(arbitration: Arbitration, event: str) -> None:
    actions = {
        "press": lambda: arbitration.estop(True),
        "release": lambda: arbitration.estop(False),
        "reset": arbitration.reset_estop,
        "take_over": arbitration.take_over,
        "hand_back": arbitration.hand_back,
        "let_go": lambda: arbitration.hand_back(deliberate=True),
        "pause": lambda: arbitration.pause("a press could not be followed"),
        "monitor_stop": lambda: arbitration.monitor_stop("inconsistent"),
        "resume": arbitration.resume,
        "running": lambda: arbitration.on_policy_state(PolicyState.RUNNING, OK),
        "blocked": lambda: arbitration.on_policy_state(
            PolicyState.BLOCKED, Reason(ReasonCode.OBSERVATION_STALE)
        ),
        "idle": lambda: arbitration.on_policy_state(PolicyState.IDLE, OK),
        "plan": lambda: arbitration.decide(OK),
        "no_plan": lambda: arbitration.decide(NO_CHUNK),
    }
    actions[event]()


def driven() -> Arbitration:
    arbitration = Arbitration()
    apply(arbitration, "running")
    apply(arbitration, "plan")
    assert arbitration.mode is ControlMode.POLICY
    return arbitration


@examples(300)
@given(st.lists(st.sampled_from(EVENTS), max_size=40), st.booleans())
def test_a_stop_is_left_only_by_a_reset_into_hold_and_the_policy_drives_only_when_started(events, by_release):
    arbitration, pressed, started = Arbitration(resume_after_release=by_release), False, False
    stopped = False
    for event in events:
        before = arbitration.mode
        apply(arbitration, event)
        pressed = {"press": True, "release": False}.get(event, pressed)
        if before is ControlMode.STOPPED and arbitration.mode is not ControlMode.STOPPED:
            assert event == "reset" and not pressed and arbitration.mode is ControlMode.HOLD
        if before is ControlMode.HUMAN and arbitration.mode is not ControlMode.HUMAN:
            assert event in ("hand_back", "let_go", "press")
        stopped = event == "press" or (stopped and arbitration.waiting)
        if event in ("press", "take_over", "monitor_stop", "pause"):
            started = False
        if event == "let_go" and before is ControlMode.HUMAN and by_release and not stopped:
            started = True
        if event in ("resume", "running", "blocked"):
            started = True
        if arbitration.mode is ControlMode.POLICY and event in ("plan", "no_plan"):
            assert event == "plan" and started and not pressed


@pytest.mark.parametrize(
    ("event", "mode", "code"),
    [
        ("press", ControlMode.STOPPED, ReasonCode.E_STOP),
        ("take_over", ControlMode.HUMAN, ReasonCode.HUMAN_CONTROL),
        ("monitor_stop", ControlMode.HOLD, ReasonCode.MONITOR_STOP),
        ("pause", ControlMode.HOLD, ReasonCode.HUMAN_CONTROL),
        ("idle", ControlMode.HOLD, ReasonCode.POLICY_NOT_RUNNING),
    ],
)
def test_each_event_ends_policy_with_its_reason(event: str, mode: ControlMode, code: ReasonCode):
    arbitration = driven()
    apply(arbitration, event)
    assert arbitration.decide(OK).code == code and arbitration.mode is mode


@pytest.mark.parametrize("interruption", ["press", "take_over", "monitor_stop", "pause"])
@pytest.mark.parametrize("way_on", [["resume"], ["idle", "running"]])
def test_after_an_interruption_only_the_operator_starts_the_policy_again(
    interruption: str, way_on: list[str]
):
    arbitration = driven()
    for event in (interruption, "release", "reset", "hand_back", "running", "plan"):
        apply(arbitration, event)
    assert arbitration.mode is ControlMode.HOLD
    for event in way_on:
        apply(arbitration, event)
    assert arbitration.decide(OK).ok and arbitration.mode is ControlMode.POLICY


@pytest.mark.parametrize("release", ["hand_back", "let_go"])
@pytest.mark.parametrize("before", ["plan", "monitor_stop", "press"])
def test_only_a_deliberate_release_resumes_and_never_after_an_emergency_stop(release: str, before: str):
    arbitration = Arbitration(resume_after_release=True)
    for event in ("running", "plan", before, "release", "reset", "take_over", release, "plan"):
        apply(arbitration, event)
    goes_on = release == "let_go" and before != "press"
    assert arbitration.mode is (ControlMode.POLICY if goes_on else ControlMode.HOLD)
    assert arbitration.waiting is not goes_on


def test_every_stop_button_must_be_released():
    arbitration = Arbitration()
    arbitration.estop(True)
    arbitration.estop(True, "gamepad")
    arbitration.estop(False)
    refused = arbitration.reset_estop()
    assert refused is not None and refused.text == "release the stop button first: gamepad"
    arbitration.estop(False, "gamepad")
    assert arbitration.reset_estop() is None


def test_a_goal_that_was_started_while_stopped_does_not_move_after_the_reset():
    arbitration = Arbitration()
    for event in ("press", "running", "release", "reset"):
        apply(arbitration, event)
    assert arbitration.decide(OK).code == ReasonCode.E_STOP


def test_a_stopped_robot_can_neither_be_taken_over_nor_resumed():
    arbitration = Arbitration()
    arbitration.estop(True)
    taken, resumed, reset = arbitration.take_over(), arbitration.resume(), arbitration.reset_estop()
    assert taken is not None and taken.code == ReasonCode.E_STOP
    assert resumed is not None and resumed.code == ReasonCode.E_STOP
    assert reset is not None and reset.code == ReasonCode.ESTOP_STILL_PRESSED
    assert arbitration.mode is ControlMode.STOPPED


def test_a_blocked_policy_explains_the_end_of_the_chunk():
    arbitration = driven()
    apply(arbitration, "blocked")
    assert arbitration.decide(OK).ok
    assert arbitration.decide(Reason(ReasonCode.CHUNK_STALE)).code == ReasonCode.OBSERVATION_STALE
