# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Keys without releases: the dead-man switch follows them safely, whatever is typed and however it is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbm_policy_node.core.spec.teleop_sources import BUTTONS
from lbm_policy_node.core.takeover.kinds.joy import TWIST_COMPONENTS
from lbm_policy_node.keyboard.key_decoder import KeyDecoder
from lbm_policy_node.keyboard.keyboard import (
    BUTTON_KEYS,
    BUTTON_NS,
    HOLD_NS,
    MOTION_KEYS,
    MOTION_NS,
    Keyboard,
)

MS = 1_000_000
SECOND = 1_000_000_000
KEYS = st.sampled_from([*MOTION_KEYS, *BUTTON_KEYS, "space", "5", "9", "q", "enter", "?"])
TYPED = st.lists(st.tuples(KEYS, st.integers(0, 1000 * MS)), max_size=30)


def full_keyboard() -> Keyboard:
    return Keyboard(TWIST_COMPONENTS, BUTTONS)


@given(TYPED, st.integers(0, 1000 * MS))
def test_dead_man_is_held_exactly_for_a_while_after_a_key_that_drives(typed, after_ns):
    keyboard, now_ns, last_ns = full_keyboard(), SECOND, None
    for key, wait_ns in typed:
        now_ns += wait_ns
        keyboard.press(key, now_ns)
        if key in MOTION_KEYS or key == "space":
            last_ns = now_ns
        elif key == "backspace":
            last_ns = None
    now_ns += after_ns
    state = keyboard.state(now_ns)
    assert state.dead_man is (last_ns is not None and now_ns - last_ns < HOLD_NS)
    assert state.dead_man or not state.motion.any()
    assert np.abs(state.motion).max() <= keyboard.speed + 1e-12


@given(TYPED)
def test_with_no_more_keys_everything_is_released(typed):
    keyboard, now_ns = full_keyboard(), SECOND
    for key, wait_ns in typed:
        now_ns += wait_ns
        keyboard.press(key, now_ns)
    state = keyboard.state(now_ns + HOLD_NS)
    assert not state.dead_man and not state.pressed and not state.motion.any()


@pytest.mark.parametrize("repeat_delay_ns", [250 * MS, 500 * MS, 599 * MS])
def test_a_key_that_is_held_keeps_the_dead_man_over_the_wait_before_it_repeats(repeat_delay_ns):
    keyboard = full_keyboard()
    keyboard.press("w", SECOND)
    first_repeat_ns = SECOND + repeat_delay_ns
    assert all(keyboard.state(t).dead_man for t in range(SECOND, first_repeat_ns, 10 * MS))
    for repeat in range(20):
        now_ns = first_repeat_ns + repeat * 33 * MS
        keyboard.press("w", now_ns)
        assert keyboard.state(now_ns + 32 * MS).motion[0] == 0.5
    assert keyboard.state(now_ns + HOLD_NS - 1).dead_man
    assert not keyboard.state(now_ns + HOLD_NS).dead_man


def test_tap_is_a_small_step_that_ends_before_the_dead_man():
    keyboard = full_keyboard()
    keyboard.press("f", SECOND)
    assert keyboard.state(SECOND + MOTION_NS - 1).motion.tolist() == [0, 0, -0.5, 0, 0, 0]
    state = keyboard.state(SECOND + MOTION_NS)
    assert state.dead_man and not state.motion.any()


def test_the_newer_of_two_opposite_keys_counts_and_two_axes_add_up():
    keyboard = full_keyboard()
    for i, key in enumerate(("w", "s", "left")):
        keyboard.press(key, SECOND + i * 10 * MS)
    assert keyboard.state(SECOND + 30 * MS).motion.tolist() == [-0.5, 0.5, 0, 0, 0, 0]


@pytest.mark.parametrize(("key", "button"), BUTTON_KEYS.items())
def test_button_is_down_for_a_moment_and_does_not_take_over(key, button):
    keyboard = full_keyboard()
    keyboard.press(key, SECOND)
    state = keyboard.state(SECOND + BUTTON_NS - 1)
    assert state.pressed == {button} and not state.dead_man
    assert not keyboard.state(SECOND + BUTTON_NS).pressed


def test_emergency_stop_lets_go_at_once():
    keyboard = full_keyboard()
    keyboard.press("w", SECOND)
    keyboard.press("backspace", SECOND + MS)
    state = keyboard.state(SECOND + 2 * MS)
    assert state.pressed == {"estop"} and not state.dead_man and not state.motion.any()


def test_digits_set_the_speed():
    keyboard = full_keyboard()
    keyboard.press("2", SECOND)
    keyboard.press("r", SECOND)
    assert keyboard.state(SECOND).motion[2] == 0.2


def test_keys_for_what_a_robot_lacks_do_nothing_and_are_not_offered():
    keyboard = Keyboard(("x", "y", "z"), ("success",))
    for key in ("u", "m", "backspace"):
        keyboard.press(key, SECOND)
    state = keyboard.state(SECOND)
    assert not state.dead_man and not state.pressed
    text = "\n".join(keyboard.key_map())
    assert "w: x+" in text and "y: success" in text and "rx" not in text and "mark" not in text


def test_no_key_has_two_uses():
    used = [*MOTION_KEYS, *BUTTON_KEYS, "space", "q", *"123456789"]
    assert len(used) == len(set(used)) and set(BUTTON_KEYS.values()) == set(BUTTONS)


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_keys_are_the_same_wherever_the_stream_is_cut_and_no_stop_is_lost(data, cuts):
    places = sorted({min(cut, len(data)) for cut in cuts})
    parts = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    whole, decoder = KeyDecoder().feed(data), KeyDecoder()
    assert [key for part in parts for key in decoder.feed(part)] == whole
    assert whole.count("backspace") == data.count(b"\x7f") + data.count(b"\x08")


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"wW 7", ["w", "w", "space", "7"]),
        (b"\x1b[A\x1bOB\x1b[C\x1b[D\x1b[5~\x1b[6~", ["up", "down", "right", "left", "page_up", "page_down"]),
        (b"\x1b[1;5Aw", ["w"]),  # Ctrl and an arrow
        (b"\x1b\x7f", ["backspace"]),
        (b"\x1bw", ["w"]),
        (b"\x04", ["end_of_input"]),
        ("ä\n".encode(), ["enter"]),
        (b"\x1b[" + b"0" * 40 + b"w", ["0"] * 26 + ["w"]),
    ],
)
def test_keys_of_a_terminal_have_names(data, keys):
    assert KeyDecoder().feed(data) == keys
