# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator: when it takes over, that it solves tasks, and when it lets go."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from helpers.teleop_loop import SOURCE, TeleopLoop
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.takeover.joy_buttons import read_buttons
from lbm_policy_node.core.takeover.joystick import JoyState, Joystick
from lbm_policy_node.sim.operator.operator_settings import OperatorSettings
from lbm_policy_node.sim.operator.scripted_operator import NOTICE_NS, Phase, ScriptedOperator
from lbm_policy_node.sim.robot import TICK_NS

TASK = "drawer-open"
SECOND = 1_000_000_000
HOLD, POLICY, HUMAN, STOPPED = ControlMode
STOP, OK = ReasonCode.MONITOR_STOP, ReasonCode.OK


class Watched:
    """An operator in front of a robot that a test plays; the executor grants control at once."""

    def __init__(self, **settings: Any) -> None:
        self.operator = ScriptedOperator(OperatorSettings(**settings), Joystick(SOURCE))
        self.now_ns, self.success = SECOND, False
        self.mode, self.code = POLICY, OK
        self.hand = np.array([0.0, 0.6, 0.2])
        self.grants = True
        self.operator.on_task(TASK)

    def tick(self, ticks: int = 1) -> JoyState:
        joy = JoyState((), ())
        for _ in range(ticks):
            self.now_ns += TICK_NS
            self.operator.on_observation(np.concatenate((self.hand, np.full(36, 0.1))), self.now_ns)
            self.operator.on_success(self.success)
            self.operator.on_control(self.mode, self.code, self.now_ns)
            joy = self.operator.tick(self.now_ns)
            if held(joy) and self.grants:
                self.mode, self.code = HUMAN, ReasonCode.HUMAN_CONTROL
            elif self.mode is HUMAN:
                self.mode = HOLD
        return joy

    def until(self, phase: Phase, *, limit_s: float = 5.0) -> float:
        """Tick until the operator does this; returns how long it took, s."""
        begin_ns = self.now_ns
        while self.operator.phase is not phase:
            assert self.now_ns - begin_ns < limit_s * 1e9, f"still {self.operator.phase}"
            self.tick()
        return (self.now_ns - begin_ns) / 1e9

    def stays(self, phase: Phase, *, seconds: float = 3.0) -> bool:
        for _ in range(round(seconds * 80)):
            self.tick()
            if self.operator.phase is not phase:
                return False
        return True

    def monitor_stops(self) -> None:
        self.mode, self.code = HOLD, STOP


def held(joy: JoyState) -> bool:
    return bool(joy.buttons[SOURCE.dead_man.button or 0])


def pressed(joy: JoyState) -> frozenset[str]:
    names = read_buttons(SOURCE.buttons, joy.buttons, SOURCE.topic)
    assert isinstance(names, frozenset)
    return names


def test_while_the_policy_drives_the_dead_man_is_released_and_the_stick_at_rest():
    watched = Watched()
    for _ in range(400):
        joy = watched.tick()
        assert not any(joy.axes) and not any(joy.buttons)


def test_stop_of_the_monitor_is_answered_after_the_reaction_time():
    delays = []
    for seed in range(20):
        watched = Watched(seed=seed)
        watched.tick(10)
        watched.monitor_stops()
        delays.append(watched.until(Phase.DRIVING))
        assert held(watched.tick())
    assert min(delays) >= 0.3 and max(delays) <= 0.6 + 2 * TICK_NS / 1e9
    assert np.std(delays) > 0.03, "people do not react like clocks"


def test_same_seed_reacts_and_trembles_alike():
    joys = []
    for _ in range(2):
        watched = Watched(seed=4)
        watched.operator.on_request(True)
        joys.append([watched.tick() for _ in range(120)])
    assert joys[0] == joys[1] and held(joys[0][-1])


def test_it_can_be_told_to_leave_the_monitor_alone():
    watched = Watched(on_monitor_stop=False)
    watched.tick(10)
    watched.monitor_stops()
    assert watched.stays(Phase.WATCHING)


def test_takes_over_so_long_after_the_policy_began_and_only_once():
    watched = Watched(takeover_after_s=2.0, reaction_low_s=0.0, reaction_high_s=0.0, hold_s=0.1)
    watched.mode = HOLD
    assert watched.stays(Phase.WATCHING), "nobody drives yet"
    watched.mode = POLICY
    assert watched.until(Phase.DRIVING) == pytest.approx(2.0, abs=0.05)
    watched.success = True
    watched.until(Phase.WATCHING)
    watched.success, watched.mode = False, POLICY
    assert watched.stays(Phase.WATCHING)


def test_solved_task_needs_no_operator_unless_asked():
    watched = Watched(takeover_after_s=0.5)
    watched.success = True
    watched.tick(100)
    watched.monitor_stops()
    assert watched.stays(Phase.WATCHING)
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)


def test_lets_go_after_a_lasting_success_then_says_so_for_a_moment():
    watched = Watched(hold_s=0.5)
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.success = True
    watched.tick(30)
    watched.success = False
    watched.tick()
    watched.success = True
    assert watched.until(Phase.RELEASING) == pytest.approx(0.5, abs=0.05)
    assert not held(watched.tick())
    watched.until(Phase.REPORTING)
    joy = watched.tick()
    assert pressed(joy) == {"success"} and not held(joy) and not any(joy.axes)
    watched.operator.on_heard("resume")
    assert watched.tick() and watched.operator.phase is Phase.REPORTING, "that is another button"
    watched.operator.on_heard("success")
    watched.until(Phase.WATCHING)
    assert not any(watched.tick().buttons)


def test_presses_again_until_it_is_heard_but_not_for_ever():
    watched = Watched(hold_s=0.0)
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.success = True
    watched.until(Phase.REPORTING)
    presses, before = 0, False
    while watched.operator.phase is Phase.REPORTING:
        now = "success" in pressed(watched.tick())
        presses, before = presses + (now and not before), now
    assert presses == 5


def test_presses_nothing_while_it_still_has_the_robot():
    watched = Watched(hold_s=0.0)
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.success = True
    watched.until(Phase.RELEASING)
    for _ in range(40):  # the executor's hysteresis
        watched.mode = HUMAN
        assert not any(watched.tick().buttons)
    watched.mode = HOLD
    watched.until(Phase.REPORTING)


def test_gives_up_what_does_not_work_and_says_so():
    watched = Watched(give_up_s=1.0)
    watched.operator.on_request(True)
    watched.until(Phase.REPORTING)
    assert pressed(watched.tick()) == {"failure"}


def test_lets_go_when_asked_and_claims_nothing():
    watched = Watched()
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.operator.on_request(False)
    assert not held(watched.tick())
    watched.until(Phase.WATCHING)
    assert watched.stays(Phase.WATCHING)


def test_request_that_comes_twice_counts_once():
    watched = Watched(hold_s=0.0)
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.operator.on_request(True)
    watched.success = True
    watched.until(Phase.REPORTING)
    watched.until(Phase.WATCHING)
    assert watched.stays(Phase.WATCHING)


def test_where_it_is_not_granted_control_it_releases_and_presses_again():
    watched = Watched()
    watched.grants = False
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    assert watched.until(Phase.REACTING) == pytest.approx(NOTICE_NS / 1e9, abs=0.05)
    assert not held(watched.tick())
    watched.grants = True
    watched.until(Phase.DRIVING)
    watched.tick(2)
    assert watched.mode is HUMAN


def test_emergency_stop_makes_it_release():
    watched = Watched()
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.mode, watched.grants = STOPPED, False
    assert not any(watched.tick().buttons) and watched.operator.phase is Phase.WATCHING


@pytest.mark.parametrize("how", ["announced", "jump"])
def test_after_a_reset_it_watches_and_the_old_stop_does_not_count(how):
    watched = Watched(takeover_after_s=1.0)
    watched.tick(10)
    watched.monitor_stops()
    watched.until(Phase.DRIVING)
    if how == "announced":
        watched.operator.on_new_scene()
    else:
        watched.hand = watched.hand + 0.1
    watched.monitor_stops()  # the executor still holds for the old reason
    assert not held(watched.tick()) and watched.operator.phase is Phase.WATCHING
    assert watched.stays(Phase.WATCHING)
    watched.mode, watched.code = POLICY, OK
    watched.tick(10)
    watched.monitor_stops()
    watched.until(Phase.DRIVING)


def test_request_from_before_a_reset_does_not_count_after_it():
    watched = Watched(reaction_low_s=1.0, reaction_high_s=1.0)
    watched.operator.on_request(True)
    watched.tick(10)
    watched.operator.on_new_scene()
    assert watched.stays(Phase.WATCHING)


def test_clock_that_goes_back_is_a_new_beginning():
    watched = Watched()
    watched.operator.on_request(True)
    watched.until(Phase.DRIVING)
    watched.now_ns = 0
    assert not held(watched.tick()) and watched.stays(Phase.WATCHING)


def test_without_a_task_it_does_not_know_what_to_do():
    operator = ScriptedOperator(OperatorSettings(), Joystick(SOURCE))
    operator.on_request(True)
    for tick in range(100):
        assert not any(operator.tick(SECOND + tick * TICK_NS).buttons)
    assert operator.phase is Phase.WATCHING
    operator.on_task(TASK)
    operator.tick(2 * SECOND + TICK_NS)
    assert operator.phase is Phase.REACTING


def test_without_sight_of_the_robot_the_stick_stays_at_rest():
    operator = ScriptedOperator(OperatorSettings(reaction_high_s=0.3), Joystick(SOURCE))
    operator.on_task(TASK)
    operator.on_request(True)
    for tick in range(40):
        joy = operator.tick(SECOND + tick * TICK_NS)
    assert held(joy) and not any(joy.axes)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match=r"reaction_low_s is 0.7 and reaction_high_s 0.6"):
        OperatorSettings(reaction_low_s=0.7)
    with pytest.raises(ValueError, match="afterwards is 'cheer'; expected one of success, resume, nothing"):
        OperatorSettings(afterwards="cheer")
    with pytest.raises(ValueError, match="unknown task 'dance'"):
        ScriptedOperator(OperatorSettings(), Joystick(SOURCE)).on_task("dance")


def test_spec_without_the_button_that_it_presses_is_refused():
    source = replace(SOURCE, buttons={"success": 3})
    with pytest.raises(ValueError, match=r"maps no button \['failure'\]"):
        ScriptedOperator(OperatorSettings(), Joystick(source))
    ScriptedOperator(OperatorSettings(afterwards="nothing"), Joystick(source))


@pytest.mark.parametrize("half_way", [False, True], ids=["fresh", "half_way"])
@pytest.mark.parametrize("task", ["drawer-open", "window-close"])
def test_it_solves_a_task_through_the_takeover_within_the_limits(make_robot, task, half_way):
    robot = make_robot(task)
    for seed in (1, 2):
        loop = TeleopLoop(robot, seed=seed, half_way=half_way)
        assert loop.run(), f"seed {seed}"
        assert loop.worst <= 1.0 + 1e-9
