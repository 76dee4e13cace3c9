# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""No observation comes out of bad input: each fault has its reason, and goes away with its cause."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.samples import JointSample, LazySample, PoseSample
from lbm_policy_node.core.observation.sighting import Sighting
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Observation

MS = 1_000_000
JOINT_NAMES = ("right_j0", "gripper_opening")


def joints(names: tuple[str, ...] = JOINT_NAMES, position: Any = (0.1, 0.7)) -> JointSample:
    return JointSample(names, np.array(position, dtype=np.float64), np.zeros(0), np.zeros(0))


def pose(position: Any = (0.1, 0.6, 0.2), orientation: Any = (0, 0, 0, 1), frame: str = "base") -> PoseSample:
    return PoseSample(np.array(position, dtype=np.float64), np.array(orientation, dtype=np.float64), frame)


def good() -> dict[str, Any]:
    front, wrist = np.full((128, 128, 3), 1, np.uint8), np.full((128, 128, 3), 2, np.uint8)
    return {"front": front, "wrist": wrist, "joints": joints(), "ee_pose": pose()}


def push(gate: ObservationGate, at_ms: int, samples: dict[str, Any]) -> None:
    for name, value in samples.items():
        gate.push(name, at_ms * MS, value, at_ms * MS)


def observe(gate: ObservationGate, at_ms: int, instruction: str = "") -> Observation | Reason:
    """Look, and build what is seen."""
    seen = gate.look(at_ms * MS)
    assert seen is not None, "another stream is waited for"
    return seen if isinstance(seen, Reason) else seen.build(instruction)


def test_good_input_becomes_an_observation_in_spec_order(spec: RobotSpec):
    gate = ObservationGate(spec)
    samples = good()
    push(gate, 100, samples)
    seen = observe(gate, 110, "open the drawer")
    assert isinstance(seen, Observation)
    assert seen.stamp_ns == 100 * MS and seen.instruction == "open the drawer"
    np.testing.assert_array_equal(seen.state, np.array([0.1, 0.6, 0.2, 0.7], dtype=np.float32))
    assert np.shares_memory(seen.images["observation.images.wrist"], samples["wrist"])
    assert not seen.images["observation.images.wrist"].flags.writeable


def test_joints_are_matched_by_name_in_any_order(spec: RobotSpec):
    gate = ObservationGate(spec)
    push(gate, 100, good() | {"joints": joints(JOINT_NAMES[::-1], (0.7, 0.1))})
    first = observe(gate, 100)
    push(gate, 150, good())
    second = observe(gate, 150)
    assert isinstance(first, Observation) and isinstance(second, Observation)
    assert first.state[3] == second.state[3] == np.float32(0.7)


def grey() -> Any:
    return np.zeros((128, 128), np.uint8)


FAULTS: dict[str, tuple[str, Callable[[], Any], ReasonCode, str]] = {
    "image of another size": (
        "front",
        lambda: np.zeros((96, 128, 3), np.uint8),
        ReasonCode.OBSERVATION_WRONG_SHAPE,
        "128x96",
    ),
    "grey image": ("front", grey, ReasonCode.OBSERVATION_WRONG_ENCODING, "front"),
    "float image": ("wrist", lambda: np.zeros((128, 128, 3)), ReasonCode.OBSERVATION_WRONG_ENCODING, "wrist"),
    "image with alpha": (
        "wrist",
        lambda: np.zeros((128, 128, 4), np.uint8),
        ReasonCode.OBSERVATION_WRONG_ENCODING,
        "wrist",
    ),
    "image that could not be decoded": (
        "front",
        lambda: Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, "'front' has encoding '64FC7'"),
        ReasonCode.OBSERVATION_WRONG_ENCODING,
        "64FC7",
    ),
    "missing joint": (
        "joints",
        lambda: joints(("right_j0",), (0.1,)),
        ReasonCode.OBSERVATION_WRONG_JOINTS,
        "gripper_opening",
    ),
    "joint named twice": (
        "joints",
        lambda: joints(("gripper_opening", "gripper_opening"), (0.1, 0.2)),
        ReasonCode.OBSERVATION_WRONG_JOINTS,
        "gripper_opening",
    ),
    "fewer positions than names": (
        "joints",
        lambda: joints(JOINT_NAMES, (0.1,)),
        ReasonCode.OBSERVATION_WRONG_SHAPE,
        "joints",
    ),
    "NaN joint": (
        "joints",
        lambda: joints(JOINT_NAMES, (0.1, np.nan)),
        ReasonCode.OBSERVATION_NON_FINITE,
        "gripper_opening=nan",
    ),
    "infinite pose": ("ee_pose", lambda: pose((np.inf, 0, 0)), ReasonCode.OBSERVATION_NON_FINITE, "x=inf"),
    "zero quaternion": (
        "ee_pose",
        lambda: pose(orientation=(0, 0, 0, 0)),
        ReasonCode.OBSERVATION_NON_FINITE,
        "quaternion",
    ),
    "NaN quaternion": (
        "ee_pose",
        lambda: pose(orientation=(np.nan, 0, 0, 1)),
        ReasonCode.OBSERVATION_NON_FINITE,
        "quaternion",
    ),
    "pose in another frame": (
        "ee_pose",
        lambda: pose(frame="tool0"),
        ReasonCode.OBSERVATION_WRONG_FRAME,
        "tool0",
    ),
    "pose of two numbers": ("ee_pose", lambda: pose((1, 2)), ReasonCode.OBSERVATION_WRONG_SHAPE, "ee_pose"),
    "image on a pose stream": ("ee_pose", grey, ReasonCode.OBSERVATION_WRONG_SHAPE, "ee_pose"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_yields_its_reason_and_is_gone_with_its_cause(spec: RobotSpec, fault: str):
    stream, value, code, text = FAULTS[fault]
    gate = ObservationGate(spec)
    push(gate, 100, good() | {stream: value()})
    refused = observe(gate, 100)
    assert isinstance(refused, Reason)
    assert refused.code == code and text in refused.text
    push(gate, 150, good())
    assert isinstance(observe(gate, 150), Observation)


def test_velocities_are_refused_where_they_are_asked_for_and_not_reported(spec: RobotSpec):
    state = (replace(spec.state[1], quantity="velocity"),)
    gate = ObservationGate(replace(spec, state=state))
    push(gate, 100, {name: value for name, value in good().items() if name != "ee_pose"})
    refused = observe(gate, 100)
    assert isinstance(refused, Reason) and refused.code == ReasonCode.OBSERVATION_WRONG_SHAPE


def test_stale_missing_and_jumped_input_pass_through_as_reasons(spec: RobotSpec):
    gate = ObservationGate(spec)
    codes = []
    push(gate, 1_000, {name: value for name, value in good().items() if name != "wrist"})
    for now_ms in (1_000, 2_000, 500):
        reason = observe(gate, now_ms)
        assert isinstance(reason, Reason)
        codes.append(reason.code)
        push(gate, now_ms, good() if now_ms == 1_000 else {})
    assert codes == [ReasonCode.OBSERVATION_MISSING, ReasonCode.OBSERVATION_STALE, ReasonCode.CLOCK_JUMPED]


class Undecoded:
    """A camera's message, and how often its pixels were asked for."""

    def __init__(self, size: Any, pixels: Any) -> None:
        self.n_decoded, self._pixels = 0, pixels
        self.sample = LazySample(self._decode, lambda: size)

    def _decode(self) -> Any:
        self.n_decoded += 1
        return self._pixels


def test_looking_decodes_no_image_and_building_each_one_once(spec: RobotSpec):
    gate = ObservationGate(spec)
    old, new = (Undecoded(None, good()["front"]) for _ in range(2))
    push(gate, 100, good() | {"front": old.sample})
    assert not isinstance(gate.look(100 * MS), Reason)
    push(gate, 150, good() | {"front": new.sample})
    for at_ms in (150, 151, 152):
        assert isinstance(gate.look(at_ms * MS), Sighting)
    assert (old.n_decoded, new.n_decoded) == (0, 0)
    for at_ms in (152, 153):
        assert isinstance(observe(gate, at_ms), Observation)
    assert (old.n_decoded, new.n_decoded) == (0, 1)


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ((96, 128), np.zeros((96, 128, 3), np.uint8)),
        (
            Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, "encoding is '64FC7'"),
            Reason(ReasonCode.OBSERVATION_WRONG_ENCODING, "encoding is '64FC7'"),
        ),
    ],
)
def test_what_the_header_says_is_judged_without_decoding_and_in_the_same_words(spec: RobotSpec, size, pixels):
    gate, message = ObservationGate(spec), Undecoded(size, pixels)
    push(gate, 100, good() | {"front": message.sample})
    by_header = gate.look(100 * MS)
    assert message.n_decoded == 0
    push(gate, 150, good() | {"front": pixels})
    assert isinstance(by_header, Reason) and by_header == gate.look(150 * MS)


def test_pixels_that_do_not_keep_what_the_header_says_are_refused_when_they_are_used(spec: RobotSpec):
    gate = ObservationGate(spec)
    push(gate, 100, good() | {"front": Undecoded((128, 128), np.zeros((96, 128, 3), np.uint8)).sample})
    seen = gate.look(100 * MS)
    assert isinstance(seen, Sighting)
    refused = seen.build("go")
    assert isinstance(refused, Reason) and refused.code == ReasonCode.OBSERVATION_WRONG_SHAPE
