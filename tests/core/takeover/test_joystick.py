# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a gamepad reports what is read back as the motion that it wants."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.teleop_robots import JOY, POSE, moving_robot
from lbm_policy_node.core.spec.teleop_sources import DeadManSpec
from lbm_policy_node.core.takeover.joy_axes import is_pressed
from lbm_policy_node.core.takeover.joy_buttons import read_button, read_buttons
from lbm_policy_node.core.takeover.joystick import Joystick, joy_source
from lbm_policy_node.core.takeover.kinds.joy import (
    TWIST_COMPONENTS,
    AxisSpec,
    JoySample,
    JoySource,
    read_axes,
    twist_of,
)

SPEC = moving_robot(POSE, JOY, {**JOY, "name": "second", "dead_man": {"button": 9}})
SOURCE = joy_source(SPEC)
SCALES = st.floats(0.05, 3.0) | st.floats(-3.0, -0.05)


@given(
    st.lists(SCALES, min_size=6, max_size=6),
    st.permutations(range(8)),
    st.floats(0.0, 0.9),
    st.lists(st.floats(-4.0, 4.0), min_size=6, max_size=6),
    st.lists(st.floats(-0.9, 0.9), min_size=6, max_size=6),
    st.booleans(),
)
def test_axes_are_read_back_as_the_wanted_speeds_or_full_speed(
    scales, indices, deadband, speeds, rests, invert
):
    axes = [AxisSpec(*values) for values in zip(indices, TWIST_COMPONENTS, scales, rests, strict=False)]
    axes = [replace(axis, invert=invert) for axis in axes]
    source = replace(SOURCE, axes=tuple(axes), deadband=deadband)
    state = Joystick(source).state(np.array(speeds), dead_man=True)
    sample = read_axes(source, state.axes)
    assert isinstance(sample, JoySample)
    twist = twist_of(source, replace(sample, usable=frozenset(indices)))
    full = np.abs(scales)
    read = np.concatenate((twist.linear, twist.angular))
    np.testing.assert_allclose(read, np.clip(speeds, -full, full), atol=1e-12)
    assert max(map(abs, state.axes)) <= 1.0 + 1e-12


@given(st.booleans(), st.sets(st.sampled_from(sorted(SOURCE.buttons))))
def test_buttons_and_dead_man_are_read_back(held, pressed):
    state = Joystick(SOURCE).state(np.zeros(6), dead_man=held, pressed=pressed)
    assert read_buttons(SOURCE.buttons, state.buttons, "/joy") == pressed
    assert SOURCE.dead_man.button is not None
    assert read_button(SOURCE.dead_man.button, state.buttons, "/joy") is held


def test_component_without_an_axis_is_left_out():
    state = Joystick(SOURCE).state(np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), dead_man=True)
    assert set(state.axes) == {0.0}


def test_source_is_found_by_name_and_the_first_without():
    assert joy_source(SPEC).name == "gamepad" and joy_source(SPEC, "second").name == "second"


@pytest.mark.parametrize("name", ["tracker", "nobody"])
def test_source_that_is_no_joystick_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match=f"no teleop source '{name}' of kind joy; .*gamepad"):
        joy_source(SPEC, name)


def test_robot_without_joystick_is_refused():
    with pytest.raises(ValueError, match="no teleop source of kind joy; its sources: tracker"):
        joy_source(moving_robot(POSE))


@pytest.mark.parametrize("dead_man", [DeadManSpec("/pedal"), DeadManSpec("/other_joy", 4)])
def test_dead_man_elsewhere_is_refused_because_nobody_would_hold_it(dead_man):
    source = replace(SOURCE, dead_man=dead_man)
    assert isinstance(source, JoySource)
    with pytest.raises(ValueError, match=f"dead-man switch on {dead_man.topic}"):
        Joystick(source)


@pytest.mark.parametrize("rest", [-1.0, 0.0, 1.0])
def test_a_trigger_as_dead_man_switch_is_read_back(rest):
    switch = DeadManSpec("/joy", axis=5, rest=rest)
    source = replace(SOURCE, dead_man=switch)
    for held in (False, True):
        state = Joystick(source).state(np.zeros(6), dead_man=held)
        assert is_pressed(switch, state.axes[5]) is held and not any(state.buttons)
