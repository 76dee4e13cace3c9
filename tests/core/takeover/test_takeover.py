# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Takeover as a whole: no jump, no way to the policy, the first pressed source wins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from helpers.examples import examples
from helpers.teleop_robots import (
    JOY,
    POSE,
    SECOND,
    START,
    TURNING_START,
    TWIST,
    at_rest,
    leading_robot,
    moving_robot,
    turning_robot,
)
from lbm_policy_node.core.execution.arbitration import Arbitration, ControlMode, PolicyState
from lbm_policy_node.core.execution.braking import Motion, motion_between
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.reasons import OK, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.kinds.joy import JoySample
from lbm_policy_node.core.takeover.kinds.twist import TwistSample
from lbm_policy_node.core.takeover.ramp import RAMP_NS, Ramp, limited_step
from lbm_policy_node.core.takeover.takeover import Takeover
from lbm_policy_node.core.types import Array

MS = 1_000_000
TICK_NS = 10 * MS
TWO_STICKS = moving_robot(TWIST, {**TWIST, "name": "second", "dead_man": {"topic": "/pedal_2"}})
TURNING = turning_robot({**TWIST, "max_age_s": 0.2}, POSE)
COMMANDS = st.tuples(
    st.sampled_from(["press", "release", "silence"]),
    st.sampled_from(["press", "release", "silence"]),
    st.lists(st.floats(-5.0, 5.0), min_size=6, max_size=6),
    st.sampled_from([1 * MS, TICK_NS, TICK_NS, 30 * MS, 120 * MS, 260 * MS, 600 * MS]),
)


def twist(*numbers: float) -> TwistSample:
    values = np.array([*numbers, *[0.0] * (6 - len(numbers))])
    return TwistSample(values[:3], values[3:], "base")


def press(takeover: Takeover, name: str, now_ns: int) -> None:
    takeover.on_dead_man(name, False, now_ns - 1, now_ns - 1)
    takeover.on_sample(name, twist(), now_ns, now_ns)
    takeover.on_dead_man(name, True, now_ns, now_ns)


def takeover_of(spec: RobotSpec) -> Takeover:
    return Takeover(spec, ActionLimits(spec))


def check_step(spec: RobotSpec, before: Array, after: Array, step_s: float) -> None:
    """Fail when a step is faster than the velocity limit or leaves the position limits."""
    limits = ActionLimits(spec)
    assert np.isfinite(after).all()
    reach = limits.velocity * step_s * (1 + 1e-9) + 1e-12
    assert (np.abs(after - before)[limits.moving] <= reach).all()
    assert (after >= limits.low).all() and (after <= limits.high).all()
    for columns, read, _ in limits.layout.rotations:
        turn = Rotation.from_quat(read(after[columns])) * Rotation.from_quat(read(before[columns])).inv()
        assert turn.magnitude() <= limits.rotation.velocity * step_s + 1e-6


class Loop:
    """A control loop with one robot that the policy moves until the operator takes it."""

    def __init__(
        self, spec: RobotSpec, start: Array, velocity: tuple[float, ...], measured: Array | None = None
    ) -> None:
        self.measured = measured
        self.spec, self.limits = spec, ActionLimits(spec)
        self.takeover, self.arbitration = Takeover(spec, self.limits), Arbitration()
        self.now_ns, self.action = SECOND, start
        self.velocity = np.array(velocity)
        self.motion: Motion = at_rest(start, self.now_ns, spins=len(self.limits.layout.rotations))
        self.arbitration.on_policy_state(PolicyState.RUNNING, OK)
        self.human, self.taken = "", False

    def tick(self, step_ns: int) -> str:
        """Advance; returns who drove, after checking the step."""
        self.now_ns += step_ns
        turn = self.takeover.tick(self.now_ns, self.motion, self.measured)
        if turn.source and not self.human:
            assert self.arbitration.take_over() is None
        if self.human and not turn.source:
            self.arbitration.hand_back()
        self.human, self.taken = turn.source, self.taken or bool(turn.source)
        self.arbitration.decide(OK)
        if turn.action is not None:
            check_step(self.spec, self.action, turn.action, step_ns / 1e9)
            action = turn.action
        elif self.taken:
            action = self.action
        else:  # the policy moves on, with a reserve for the speed that its chunk may have
            action = self.limits.clamp(self._moved(step_ns), self.action)
        before = self.motion
        self.motion = motion_between(self.limits, before.time_ns, self.action, self.now_ns, action)
        self.action = action
        return turn.source

    def _moved(self, step_ns: int) -> Array:
        action = self.action.copy()
        action[:3] += self.velocity * min(step_ns, 30 * MS) / 1e9
        return action


@examples(150)
@given(
    st.lists(COMMANDS, max_size=60),
    st.tuples(*[st.floats(-1.4, 1.4)] * 3),
    st.sampled_from([None, TURNING_START]),  # nothing is measured, or the robot is stuck
)
def test_no_sequence_makes_a_step_beyond_the_limit_or_leads_back_to_the_policy(commands, velocity, measured):
    loop = Loop(TURNING, TURNING_START, velocity, measured)
    for name in ("stick", "tracker"):
        loop.takeover.on_dead_man(name, False, loop.now_ns, loop.now_ns)
    for stick, tracker, numbers, step_ns in commands:
        now_ns = loop.now_ns
        turn = Rotation.from_rotvec(np.array(numbers[3:]) / 15).as_quat()
        samples = {"stick": twist(*numbers), "tracker": PoseSample(np.array(numbers[:3]) / 80, turn, "base")}
        for name, event in (("stick", stick), ("tracker", tracker)):
            if event != "silence":
                loop.takeover.on_sample(name, samples[name], now_ns, now_ns)
                loop.takeover.on_dead_man(name, event == "press", now_ns, now_ns)
        loop.tick(step_ns)
        if loop.taken:
            assert loop.arbitration.mode is (ControlMode.HUMAN if loop.human else ControlMode.HOLD)


@given(st.lists(st.tuples(st.sampled_from("prs"), st.sampled_from("prs")), max_size=80))
def test_the_first_pressed_source_drives_and_the_other_is_reported(events):
    takeover = takeover_of(TWO_STICKS)
    now_ns = SECOND
    for first, second in [("r", "r"), *events]:
        for name, event in (("stick", first), ("second", second)):
            takeover.on_sample(name, twist(), now_ns, now_ns)
            if event != "s":
                takeover.on_dead_man(name, event == "p", now_ns, now_ns)
        turn = takeover.tick(now_ns, at_rest(START, now_ns))
        if (first, second) == ("p", "p") and turn.source:
            assert (turn.source, turn.ignored) in (("stick", ("second",)), ("stick", ()), ("second", ()))
        if turn.ignored:
            assert (turn.source, turn.ignored) == ("stick", ("second",))
        if first == "r" and second == "p" and turn.source:
            assert turn.source == "second" or turn.ignored == ()
        assert (turn.action is not None) is bool(turn.source)
        now_ns += 40 * MS


def test_a_press_drives_in_the_same_tick_and_a_release_ends_after_half_a_second():
    loop = Loop(TWO_STICKS, START, (0.0, 0.0, 0.0))
    press(loop.takeover, "stick", loop.now_ns + TICK_NS)
    assert loop.tick(TICK_NS) == "stick"
    released_ns = loop.now_ns + 1
    loop.takeover.on_dead_man("stick", False, released_ns, released_ns)
    while loop.now_ns < released_ns + SECOND:
        loop.takeover.on_dead_man("stick", False, loop.now_ns + 5 * MS, loop.now_ns + 5 * MS)
        held = loop.tick(TICK_NS) == "stick"
        assert held is (loop.now_ns - released_ns < SECOND // 2)
    assert loop.arbitration.mode is ControlMode.HOLD


def drive(loop: Loop, seconds: float, numbers: tuple[float, ...], pressed: bool = True) -> None:
    for _ in range(round(seconds * 100)):
        loop.takeover.on_sample("stick", twist(*numbers), loop.now_ns, loop.now_ns)
        loop.takeover.on_dead_man("stick", pressed, loop.now_ns, loop.now_ns)
        loop.tick(TICK_NS)


def test_the_operator_moves_the_robot_and_letting_go_stops_it_at_once():
    loop = Loop(TWO_STICKS, START, (0.0, 0.0, 0.0))
    drive(loop, 0.05, (0.0, 0.0, 0.0), pressed=False)
    drive(loop, 1.0, (0.2, 0.0, 0.0))
    assert loop.action[0] == pytest.approx(0.2, abs=0.01)
    x = loop.action[0]
    drive(loop, 0.3, (0.2, 0.0, 0.0), pressed=False)
    assert loop.human == "stick" and loop.action[0] - x < 0.2 * 0.25
    rest = loop.action[0]
    drive(loop, 0.15, (0.2, 0.0, 0.0), pressed=False)
    assert loop.human == "stick" and loop.action[0] == pytest.approx(rest)


def test_a_takeover_at_full_speed_neither_jumps_nor_jolts():
    loop = Loop(TWO_STICKS, START, (1.0, 0.0, 0.0))
    for _ in range(10):
        loop.tick(TICK_NS)
    press(loop.takeover, "stick", loop.now_ns + TICK_NS)
    positions = [loop.action[0] - 0.01, loop.action[0]]
    for _ in range(20):
        loop.takeover.on_sample("stick", twist(), loop.now_ns + TICK_NS, loop.now_ns + TICK_NS)
        loop.takeover.on_dead_man("stick", True, loop.now_ns + TICK_NS, loop.now_ns + TICK_NS)
        assert loop.tick(TICK_NS) == "stick"
        positions.append(loop.action[0])
    acceleration = np.abs(np.diff(positions, 2)) / 0.01**2
    assert acceleration.max() < 15.0  # a stop within one tick would be 100 m/s^2


def test_a_stale_signal_pauses_and_the_second_source_must_be_pressed_again():
    takeover = takeover_of(TWO_STICKS)
    for name in ("stick", "second"):
        press(takeover, name, SECOND)
    assert takeover.tick(SECOND, at_rest(START, SECOND)).ignored == ("second",)
    now_ns = SECOND + 251 * MS
    for stamp_ns in (SECOND + 200 * MS, now_ns):
        takeover.on_sample("second", twist(), stamp_ns, stamp_ns)
        takeover.on_dead_man("second", True, stamp_ns, stamp_ns)
    paused = takeover.tick(now_ns, at_rest(START, now_ns))
    assert paused.source == "" and paused.reason.code == ReasonCode.OBSERVATION_STALE
    takeover.on_dead_man("second", True, now_ns + 1, now_ns + 1)
    assert takeover.tick(now_ns + 1, at_rest(START, now_ns)).source == ""
    press(takeover, "second", now_ns + 10)
    assert takeover.tick(now_ns + 10, at_rest(START, now_ns)).source == "second"


def test_motion_that_goes_stale_pauses_although_the_dead_man_is_held():
    takeover = takeover_of(TWO_STICKS)
    press(takeover, "stick", SECOND)
    sources = []
    for tick in range(30):
        now_ns = SECOND + tick * TICK_NS
        takeover.on_dead_man("stick", True, now_ns, now_ns)
        sources.append(takeover.tick(now_ns, at_rest(START, now_ns)).source)
    assert sources == ["stick"] * 26 + [""] * 4


def test_the_gripper_button_of_the_driver_closes_and_opens_at_once():
    takeover = takeover_of(moving_robot(JOY))
    takeover.on_dead_man("gamepad", False, 0, 0)
    unknown = START.copy()
    unknown[3] = np.nan
    takeover.on_buttons("gamepad", frozenset({"gripper_close"}))
    press(takeover, "gamepad", 1)
    takeover.on_sample("gamepad", JoySample((0.0, 0.0, 0.0)), 1, 1)
    values = []
    for tick, pressed in enumerate([set(), {"gripper_close"}, set(), {"gripper_close", "gripper_open"}], 1):
        takeover.on_buttons("gamepad", frozenset(pressed))
        turn = takeover.tick(tick * TICK_NS, at_rest(unknown, 0))
        assert turn.action is not None
        values.append(turn.action[3])
    assert values == [-1.0, 1.0, 1.0, 1.0]


def test_a_gripper_that_nothing_measures_starts_where_the_leaders_is():
    spec = leading_robot()
    takeover, start = takeover_of(spec), np.array([0.1, 0.0, 0.0, 0.0, 0.0, np.nan])
    joints = JointSample(
        spec.action_names, np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.3]), np.zeros(0), np.zeros(0)
    )
    takeover.on_sample("leader", joints, SECOND, SECOND)
    takeover.on_dead_man("leader", False, SECOND - 1, SECOND - 1)
    takeover.on_dead_man("leader", True, SECOND, SECOND)
    action = takeover.tick(SECOND, at_rest(start, SECOND)).action
    assert action is not None
    np.testing.assert_allclose(action, [0.1, 0.0, 0.0, 0.0, 0.0, 0.3])


def test_nobody_takes_a_robot_over_whose_position_is_unknown():
    for motion in (None, at_rest(np.full(4, np.nan))):
        takeover = takeover_of(TWO_STICKS)
        press(takeover, "stick", SECOND)
        turn = takeover.tick(SECOND, motion)
        assert turn.source == "" and turn.reason.code == ReasonCode.FEEDBACK_MISSING


def test_the_ramp_starts_at_the_command_and_ends_at_the_moving_target():
    limits = ActionLimits(TWO_STICKS)
    target = START + np.array([0.1, 0.0, 0.0, -2.0])
    ramp = Ramp(limits, lambda _: START, 0)
    np.testing.assert_allclose(ramp.at(0, target), [*START[:3], -1.0])
    np.testing.assert_allclose(ramp.at(RAMP_NS // 2, target)[0], 0.05)
    np.testing.assert_allclose(ramp.at(RAMP_NS, target), target)
    assert ramp.at(RAMP_NS // 1000, target)[0] < 1e-6


def test_a_step_goes_as_far_as_the_limits_allow_and_never_back_in_time():
    limits = ActionLimits(TURNING)
    wanted = TURNING_START.copy()
    wanted[0], wanted[3:7] = 9.0, Rotation.from_rotvec([0, 0, 1.0]).as_quat()
    step = limited_step(limits, TURNING_START, wanted, 0.02)
    assert step[0] == pytest.approx(0.03)
    assert Rotation.from_quat(step[3:7]).magnitude() == pytest.approx(0.02, abs=1e-6)
    assert limited_step(limits, TURNING_START, wanted, -1.0) is TURNING_START
    border = TURNING_START + np.array([0.549, *[0.0] * 7])
    assert limited_step(limits, border, wanted, 0.02)[0] == pytest.approx(0.55)
    assert limited_step(limits, TURNING_START, wanted, 60.0)[0] == pytest.approx(0.15)
