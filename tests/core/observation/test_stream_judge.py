# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's judge and the gate say the same of every message."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lbm_policy_node.core.observation.gate import ObservationGate
from lbm_policy_node.core.observation.samples import JointSample, PoseSample
from lbm_policy_node.core.observation.stream_judge import StreamJudge
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.messages.image_encoding import decode_raw

MS = 1_000_000
NAMES = ("right_j0", "gripper_opening")


def joints(names: tuple[str, ...] = NAMES, position: Any = (0.1, 0.7)) -> JointSample:
    return JointSample.of(names, position, (), ())


def pose(x: float = 0.1, frame: str = "base") -> PoseSample:
    return PoseSample(np.array([x, 0.6, 0.2]), np.array([0.0, 0.0, 0.0, 1.0]), frame)


def depth() -> Any:
    pixels = np.zeros((128, 128), "<u2").tobytes()
    return decode_raw(pixels, encoding="16UC1", height=128, width=128, step=256)


GOOD: dict[str, Callable[[], Any]] = {
    "front": lambda: np.zeros((128, 128, 3), np.uint8),
    "wrist": lambda: np.zeros((128, 128, 3), np.uint8),
    "joints": joints,
    "ee_pose": pose,
}
ODD: dict[str, tuple[str, int, Callable[[], Any]]] = {
    "good": ("joints", 200, joints),
    "NaN": ("joints", 200, lambda: joints(position=(np.nan, 0.7))),
    "a name twice": ("joints", 200, lambda: joints((*NAMES, "right_j0"), (0.1, 0.7, 0.1))),
    "other joints": ("joints", 200, lambda: joints(("elsewhere",), (0.1,))),
    "16-bit depth": ("front", 200, depth),
    "another size": ("front", 200, lambda: np.zeros((64, 64, 3), np.uint8)),
    "another frame": ("ee_pose", 200, lambda: pose(frame="tool0")),
    "a jump": ("ee_pose", 200, lambda: pose(0.9)),
    "stamp ahead": ("joints", 900, joints),
}


@pytest.mark.parametrize("odd", ODD)
def test_the_judge_refuses_what_the_gate_refuses_in_the_same_words(spec: RobotSpec, odd: str):
    stream, stamp_ms, value = ODD[odd]
    gate, judge = ObservationGate(spec), StreamJudge(spec, spec.streams[stream])
    for name, make in GOOD.items():
        gate.push(name, 150 * MS, make(), 150 * MS)
    assert judge.judge(150 * MS, GOOD[stream](), 150 * MS).ok
    for name, make in GOOD.items():
        odd_one = name == stream
        gate.push(name, (stamp_ms if odd_one else 200) * MS, value() if odd_one else make(), 200 * MS)
    seen = gate.look(200 * MS)
    said = judge.judge(stamp_ms * MS, value(), 200 * MS)
    assert said.ok != isinstance(seen, Reason)
    if isinstance(seen, Reason):
        assert said.code == seen.code and seen.text.startswith(said.text)


def test_a_zero_stamp_is_refused_as_such(spec: RobotSpec):
    said = StreamJudge(spec, spec.streams["joints"]).judge(0, joints(), 900 * MS)
    assert "has a zero stamp" in said.text


def test_a_stream_that_never_names_a_joint_is_refused(spec: RobotSpec):
    judge, sample = StreamJudge(spec, spec.streams["joints"]), joints(("elsewhere",), (0.0,))
    said = [judge.judge(at * MS, sample, at * MS) for at in range(1_000, 2_000, 100)]
    assert said[0].ok and "must name" in said[-1].text and judge.incomplete == 10
