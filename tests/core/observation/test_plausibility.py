# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A measurement is believed only while it is plausible, and joints may come in several messages."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_chunk
from helpers.examples import examples
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.feedback import FeedbackReader
from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.samples import JointSample
from lbm_policy_node.core.observation.sighting import Sighting
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

MS = 1_000_000
NAMES = ("j1", "j2", "grip")
TRUE = (1.0, -0.8, 0.5)
START_JUMP = 0.2


def little() -> RobotSpec:
    """Two joints and a gripper."""
    output = {"topic": "/arm/commands", "type": "std_msgs/msg/Float64MultiArray"}
    arm, grip = {"stream": "joints", "joints": ["j1", "j2"]}, {"stream": "joints", "joints": ["grip"]}
    blocks = [
        {"kind": "joint_position", "names": ["j1", "j2"], "unit": "rad", "output": output, "feedback": arm},
        {"kind": "gripper", "names": ["grip"], "unit": "rad", "output": output, "feedback": grip},
    ]
    joints = {"topic": "/joint_states", "type": "sensor_msgs/msg/JointState", "max_age_s": 0.2}
    values: dict[str, Any] = {
        "name": "little",
        "step_s": 0.05,
        "control_rate_hz": 100.0,
        "base_frame": "base",
        "max_skew_s": 0.05,
        "streams": {"joints": joints},
        "images": {},
        "state": [{"stream": "joints", "joints": list(NAMES)}],
        "action": {"lead_s": 0.0, "blocks": blocks},
        "limits": {
            "position": {"j1": [-3.2, 3.2], "j2": [-3.2, 3.2], "grip": [-1.0, 2.0]},
            "velocity": {"j1": 2.0, "j2": 2.0},
            "acceleration": {"j1": 40.0, "j2": 40.0},
            "start_jump": {"j1": START_JUMP, "j2": START_JUMP},
        },
    }
    return RobotSpec.from_mapping(values)


SPEC = little()


def joints(names: tuple[str, ...] = NAMES, position: tuple[float, ...] = TRUE, **fields: Any) -> JointSample:
    return JointSample.of(names, position, fields.get("velocity", ()), fields.get("effort", ()))


class Cell:
    """A gate and a reader that hear the same messages."""

    def __init__(self) -> None:
        two = {"/joint_states": 2}
        self.gate = ObservationGate(SPEC, lambda topic: two[topic])
        self.reader = FeedbackReader(SPEC, lambda topic: two[topic])

    def hear(self, at_ms: int, sample: JointSample, stamp_ms: int | None = None) -> None:
        stamp_ns = (at_ms if stamp_ms is None else stamp_ms) * MS
        self.gate.push("joints", stamp_ns, sample, at_ms * MS)
        self.reader.push("joints", stamp_ns, sample, at_ms * MS)

    def hear_good(self, start_ms: int, stop_ms: int) -> None:
        for at_ms in range(start_ms, stop_ms, 20):
            self.hear(at_ms, joints())

    def believed(self, at_ms: int) -> Array | str:
        """Return what both believe, or what both say."""
        seen, measured = self.gate.look(at_ms * MS), self.reader.measured(at_ms * MS)
        if isinstance(seen, Sighting):
            built = seen.build("")
            assert not isinstance(built, Reason) and not isinstance(measured, Reason)
            np.testing.assert_allclose(built.state, measured, atol=1e-6)
            return measured
        assert isinstance(seen, Reason) and isinstance(measured, Reason)
        assert seen.text.startswith(measured.text)
        return seen.text


def test_two_publishers_are_named_and_neither_is_believed():
    cell = Cell()
    cell.hear_good(1_000, 1_200)
    cell.hear(1_190, joints(position=(0.0, 0.0, 0.0)))
    text = cell.believed(1_190)
    assert text == (
        "'joints' (/joint_states) is not believed: j1 went from 1 to 0 in 0.010 s, limit 2/s; "
        "/joint_states has 2 publishers"
    )
    seen = cell.gate.look(1_190 * MS)
    assert isinstance(seen, Reason) and seen.code == ReasonCode.OBSERVATION_IMPLAUSIBLE


def test_a_jump_that_stays_is_believed_after_half_a_second():
    cell = Cell()
    cell.hear_good(1_000, 1_100)
    for at_ms in range(1_100, 1_700, 20):
        cell.hear(at_ms, joints(position=(0.0, 0.0, 0.0)))
        believed = cell.believed(at_ms)
        assert isinstance(believed, str) == (at_ms < 1_600)


def test_a_clock_that_went_back_is_a_new_beginning():
    cell = Cell()
    cell.hear_good(5_000, 5_100)
    cell.hear(1_000, joints(position=(0.0, 0.0, 0.0)))
    assert isinstance(cell.reader.measured(1_000 * MS), np.ndarray)


def test_a_silence_longer_than_the_maximum_age_is_a_new_beginning():
    cell = Cell()
    cell.hear_good(1_000, 1_100)
    cell.hear(1_300, joints(position=(0.0, 0.0, 0.0)))
    assert isinstance(cell.believed(1_300), np.ndarray)


def test_jumps_that_come_again_and_again_are_doubted_for_longer():
    """The false values are the frequent ones here; from the second jump on nothing is believed."""
    cell, zeros = Cell(), joints(position=(0.0, 0.0, 0.0))
    for at_ms in range(1_000, 6_000, 20):
        cell.hear(at_ms, zeros)
        if at_ms % 1_000 == 500:
            cell.hear(at_ms + 10, joints())
        doubted = 1_500 <= at_ms < 2_020 or at_ms >= 2_500
        assert isinstance(cell.believed(at_ms + 10), str) == doubted


@pytest.mark.parametrize("sensor_ms", [20, 50, 100])
def test_a_sensor_slower_than_its_driver_is_plausible_at_full_speed(sensor_ms: int):
    cell = Cell()
    for at_ms in range(1_000, 2_000, 4):
        j1 = (at_ms // sensor_ms * sensor_ms - 1_000) * 2.0 * 0.9 / 1_000
        cell.hear(at_ms, joints(position=(j1 - 0.5, -0.8, 0.5)))
        assert isinstance(cell.believed(at_ms), np.ndarray)


def test_joints_in_several_messages_are_merged_and_foreign_ones_passed_over():
    cell = Cell()
    for at_ms in range(1_000, 2_000, 20):
        cell.hear(at_ms, joints(("j2", "j1"), (-0.8, 1.0)))
        cell.hear(at_ms + 5, joints(("grip", "elsewhere"), (0.5, 9.0)))
        cell.hear(at_ms + 6, joints(("elsewhere",), (9.0,)))
        cell.hear(at_ms + 7, joints(position=(), velocity=(0.0, 0.0, 0.0)))
        np.testing.assert_array_equal(cell.believed(at_ms + 8), TRUE)


def test_a_joint_that_is_no_longer_named_is_missed_when_it_is_too_old():
    cell = Cell()
    cell.hear_good(1_000, 1_020)
    for at_ms in range(1_020, 1_300, 20):
        cell.hear(at_ms, joints(("j1", "j2"), TRUE[:2]))
    assert "has not named ['grip'] for 0.280 s" in str(cell.believed(1_290))
    cell.hear(1_291, joints(("grip",), (0.5,)))
    np.testing.assert_array_equal(cell.believed(1_292), TRUE)


def test_a_joint_that_never_came_is_named():
    cell = Cell()
    cell.hear(1_000, joints(("j1", "j2"), TRUE[:2]))
    measured = cell.reader.measured(1_000 * MS)
    assert isinstance(measured, Reason) and "must name ['grip'] once each" in measured.text


Message = tuple[int, int, JointSample]
"""Arrival and stamp in ms, and what it says."""


def robot(position: tuple[float, ...], *, period_ms: int, late_ms: int, split: bool) -> Iterator[Message]:
    """Messages of one publisher for ever."""
    for index in range(10_000):
        at_ms = 1_000 + index * period_ms
        if split:
            yield at_ms, at_ms - late_ms, joints(NAMES[:2], position[:2])
            yield at_ms, at_ms - late_ms, joints(NAMES[2:], position[2:])
        else:
            yield at_ms, at_ms - late_ms, joints(position=position)


@given(
    period_ms=st.integers(2, 20),
    late_ms=st.integers(0, 10),
    split=st.booleans(),
    other_ms=st.integers(3, 400),
    other_late_ms=st.integers(-10, 30),
    other=st.floats(1.5 * START_JUMP, 2.0),
    joint=st.integers(0, 1),
    begins_ms=st.integers(1_001, 1_400),
)
@examples(15)
def test_with_a_second_publisher_no_command_is_far_from_the_robot_and_it_recovers(
    period_ms: int,
    late_ms: int,
    split: bool,
    other_ms: int,
    other_late_ms: int,
    other: float,
    joint: int,
    begins_ms: int,
):
    """The policy answers at once and stays where it sees the robot: what is believed is what is commanded."""
    ends_ms, end_ms, cell, executor = 2_000, 6_500, Cell(), ChunkExecutor(SPEC)
    executor.on_policy_state(PolicyState.RUNNING)
    false = tuple(value - other * (i == joint) for i, value in enumerate(TRUE))
    messages = [m for m in robot(TRUE, period_ms=period_ms, late_ms=late_ms, split=split) if m[0] < end_ms]
    messages += [
        (at_ms, at_ms - other_late_ms, joints(position=false))
        for at_ms in range(begins_ms, ends_ms, other_ms)
    ]
    arrivals = iter(sorted(messages, key=lambda message: message[0]))
    arrived = next(arrivals)
    mode = ControlMode.HOLD
    for now_ms in range(1_000, end_ms, 10):
        while arrived[0] <= now_ms:
            cell.hear(arrived[0], arrived[2], arrived[1])
            arrived = next(arrivals, (end_ms, 0, joints()))
        seen = cell.gate.look(now_ms * MS)
        if isinstance(seen, Sighting) and now_ms % 50 == 0:
            built = seen.build("")
            assert not isinstance(built, Reason)
            rows = np.tile(built.state.astype(np.float64), (8, 1))
            chunk = make_chunk(
                chunk_id=now_ms, observation_stamp_ns=seen.stamp_ns, actions=rows, action_names=NAMES
            )
            executor.on_chunk(chunk, now_ms * MS)
        command = executor.tick(now_ms * MS, cell.reader.measured(now_ms * MS))
        mode = command.mode
        if command.action is not None:
            assert np.abs(command.action[:2] - TRUE[:2]).max() <= START_JUMP
    assert mode is ControlMode.POLICY


def test_zero_stamps_after_good_ones_are_called_so():
    cell = Cell()
    cell.hear_good(1_000, 1_100)
    cell.hear(1_110, joints(), 0)
    np.testing.assert_array_equal(cell.believed(1_120), TRUE)
    cell.hear(1_400, joints(), 0)
    assert "has a zero stamp" in str(cell.believed(1_400))
    cell.hear(1_420, joints())
    np.testing.assert_array_equal(cell.believed(1_420), TRUE)
