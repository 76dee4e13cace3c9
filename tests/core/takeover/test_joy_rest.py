# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An axis of a gamepad moves nothing until it was seen at rest; nor does a trigger as the dead-man switch."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from helpers.takeover_cell import MS, STICK, Cell
from helpers.teleop_robots import JOY, POSE, moving_robot
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.observation.samples import PoseSample
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.takeover.kinds.joy import JoySource, read_axes
from lbm_policy_node.messages.teleop import dead_man_from_message

TRIGGER = {"axis": 5, "rest": 1.0}


def pad(**changes: Any) -> "Pad":
    return Pad({**JOY, **changes})


def axes(*rests: float, invert: bool = False) -> list[dict[str, Any]]:
    return [
        {"axis": i, "component": name, "scale": 0.3, "rest": rest, "invert": invert}
        for i, (name, rest) in enumerate(zip("xyz", rests, strict=True))
    ]


class Pad:
    """A gamepad in front of an executor; axis 5 is a trigger that rests at 1."""

    def __init__(self, entry: dict[str, Any]) -> None:
        spec = moving_robot(entry)
        (source,) = spec.teleop
        assert isinstance(source, JoySource)
        self.source, self.cell = source, Cell(spec)
        self.cell.ticks(2)

    def send(self, *values: float, pressed: bool = False, trigger: float = 1.0, ticks: int = 1) -> None:
        message = SimpleNamespace(
            axes=[*values, 0.0, 0.0, trigger], buttons=[0, 0, 0, 0, int(pressed), 0, 0, 0]
        )
        takeover, name = self.cell.executor.takeover, self.source.name
        for _ in range(ticks):
            now_ns = self.cell.now_ns
            sample, held = read_axes(self.source, message.axes), dead_man_from_message(message, self.source)
            assert not isinstance(sample, Reason) and not isinstance(held, Reason)
            takeover.on_sample(name, sample, now_ns, now_ns)
            takeover.on_dead_man(name, held, now_ns, now_ns)
            self.cell.tick()

    @property
    def reason(self) -> str:
        return self.cell.last.reason.text

    def moved(self, *values: float, ticks: int = 100) -> np.ndarray:
        """Hold the dead-man switch so long; returns how far the hand went after the hand-over, m."""
        self.send(*values, pressed=True, ticks=40)
        start = self.cell.position[:3].copy()
        self.send(*values, pressed=True, ticks=ticks)
        assert self.cell.mode is ControlMode.HUMAN
        return self.cell.position[:3] - start


def test_an_axis_off_its_centre_moves_nothing_is_named_and_drives_once_it_was_touched():
    gamepad = pad()
    gamepad.send(0.0, 0.0, -1.0)
    assert not gamepad.moved(0.0, 0.0, -1.0).any()
    assert "gamepad: axis 2 is off its centre (-1.0); touch it" in gamepad.reason
    assert gamepad.moved(0.5, 0.0, -1.0, ticks=10)[0] > 0.0, "the other axes drive"
    gamepad.send(0.0, 0.0, 0.05, pressed=True)
    assert "axis 2" not in gamepad.reason
    assert gamepad.moved(0.0, 0.0, 0.3, ticks=10)[2] > 0.0


VALUE = st.sampled_from([-1.0, 1.0, 0.0]) | st.floats(-1.0, 1.0)


@examples(30)
@given(st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=1, max_size=30), st.tuples(VALUE, VALUE, VALUE))
def test_no_pad_moves_an_axis_before_it_was_seen_at_rest_and_each_recovers(messages, rests):
    gamepad = pad(axes=axes(*rests))
    specs, seen = gamepad.source.axes, np.zeros(3, dtype=bool)

    def look(values: tuple[float, ...]) -> None:
        for i, value in enumerate(values):
            seen[i] |= specs[i].deflection(value, gamepad.source.deadband) == 0.0

    look(messages[0])
    gamepad.send(*messages[0])
    gamepad.send(*messages[0], pressed=True, ticks=40)
    for values in messages:
        before = gamepad.cell.position[:3].copy()
        look(values)
        gamepad.send(*values, pressed=True)
        assert (gamepad.cell.position[:3] == before)[~seen].all()
        assert ("touch" in gamepad.reason) == (not seen.all())
    gamepad.send(*rests, pressed=True)
    assert "touch" not in gamepad.reason
    before = gamepad.cell.position[:3].copy()
    pushed = [rest - 0.5 if rest > 0.0 else rest + 0.5 for rest in rests]
    gamepad.send(*pushed, pressed=True, ticks=5)
    assert (gamepad.cell.position[:3] != before).all()


def test_after_a_silence_an_axis_must_be_seen_at_rest_again():
    gamepad = pad()
    gamepad.send(0.0, 0.0, 0.0, ticks=3)
    gamepad.cell.ticks(40)  # the receiver is unplugged
    gamepad.send(0.0, 0.0, -1.0)
    assert not gamepad.moved(0.0, 0.0, -1.0).any()
    assert "axis 2 is off its centre" in gamepad.reason


@pytest.mark.parametrize(("rest", "end"), [(1.0, -1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("invert", [False, True])
def test_a_trigger_that_rests_at_an_end_has_its_whole_way_and_inverts(rest, end, invert):
    gamepad = pad(axes=axes(0.0, 0.0, rest, invert=invert))
    gamepad.send(0.0, 0.0, 0.0)
    assert not gamepad.moved(0.0, 0.0, 0.0).any()
    assert f"axis 2 is off its rest {rest:g} (0.0); touch it" in gamepad.reason
    gamepad.send(0.0, 0.0, rest, pressed=True)
    step = gamepad.moved(0.0, 0.0, end, ticks=10)[2]
    assert step == pytest.approx((-0.03 if invert else 0.03) * np.sign(end - rest), abs=1e-9)


def test_a_trigger_as_dead_man_switch_counts_only_after_it_was_seen_released():
    gamepad = pad(dead_man=TRIGGER)
    gamepad.send(0.0, 0.0, 0.0, trigger=-1.0, ticks=3)
    assert gamepad.cell.mode is not ControlMode.HUMAN
    assert "the dead-man switch has not been seen released yet; release it first" in gamepad.reason
    gamepad.send(0.0, 0.0, 0.0, trigger=1.0)
    gamepad.send(0.0, 0.0, 0.0, trigger=0.0)
    assert gamepad.cell.mode is not ControlMode.HUMAN, "halfway is not pressed"
    gamepad.send(0.0, 0.0, 0.0, trigger=-0.9)
    assert gamepad.cell.mode is ControlMode.HUMAN


def test_a_trigger_that_comes_back_pressed_after_a_silence_does_not_take_over():
    gamepad = pad(dead_man=TRIGGER)
    gamepad.send(0.0, 0.0, 0.0, ticks=3)
    gamepad.cell.ticks(40)
    gamepad.send(0.0, 0.0, 0.0, trigger=-1.0, ticks=5)
    assert gamepad.cell.mode is not ControlMode.HUMAN
    gamepad.send(0.0, 0.0, 0.0)
    gamepad.send(0.0, 0.0, 0.0, trigger=-1.0)
    assert gamepad.cell.mode is ControlMode.HUMAN


def test_a_device_that_was_moved_during_a_pause_between_two_ticks_pauses_and_does_not_leap():
    keys = ("dead_man", "buttons", "gripper")
    cell = Cell(moving_robot({**POSE, **{key: STICK[key] for key in keys}}))
    cell.ticks(2)

    def send(x: float, pressed: bool) -> None:
        pose = PoseSample(np.array([x, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]), "base")
        cell.executor.takeover.on_sample("tracker", pose, cell.now_ns, cell.now_ns)
        cell.executor.takeover.on_dead_man("tracker", pressed, cell.now_ns, cell.now_ns)

    send(0.0, False)
    for _ in range(60):
        send(0.0, True)
        cell.tick()
    assert cell.mode is ControlMode.HUMAN, cell.last.reason
    for _ in range(24):  # the tracker is silent for 0.25 s; the switch is held
        cell.executor.takeover.on_dead_man("tracker", True, cell.now_ns, cell.now_ns)
        cell.tick()
    assert cell.mode is ControlMode.HUMAN, cell.last.reason
    cell.now_ns += 15 * MS
    before = cell.position[:3].copy()
    send(0.9, True)
    cell.tick()
    assert cell.mode is ControlMode.HOLD and "is 0.265 s old" in cell.last.reason.text
    np.testing.assert_allclose(cell.position[:3], before, atol=1e-9)
