# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor says about topics: present, type, content, age, skew, drops."""

import dataclasses

import numpy as np
import pytest

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.doctor.stream_health import (
    Level,
    StreamSamples,
    judge_skew,
    judge_stream,
    judge_streams,
    rate_and_drops,
)
from lbm_policy_node.paths import shared_path

SPEC = RobotSpec.load(shared_path("config/robots/metaworld.yaml"))
FRONT = SPEC.streams["front"]
STAMPS = (np.arange(60) / 20.0 + 100.0).tolist()
GOOD = StreamSamples(types=[FRONT.type], stamps_s=STAMPS, ages_s=[0.01] * 60)


def test_stream_that_delivers_is_fine() -> None:
    check = judge_stream(SPEC, FRONT, GOOD)
    assert check.level is Level.OK and not check.advice
    assert check.values["rate_hz"] == pytest.approx(20.0) and check.values["dropped"] == 0.0


@pytest.mark.parametrize(
    ("change", "text", "advice"),
    [
        ({"types": []}, "no publisher of /camera/front/image_raw", "start its driver"),
        (
            {"types": ["sensor_msgs/msg/CompressedImage"]},
            "is sensor_msgs/msg/CompressedImage",
            "sensor_msgs/msg/Image",
        ),
        ({"stamps_s": [], "ages_s": []}, "nothing arrived", "docs/transport.md"),
        ({"problem": "images are 640x480", "refused": 60}, "images are 640x480", "spec"),
        ({"ages_s": [0.6] * 60}, "600 ms old", "clocks"),
        ({"ages_s": [-5.0] * 60}, "-5000 ms old", "use_sim_time"),
    ],
)
def test_what_would_stop_the_graph_is_a_failure_with_advice(change, text: str, advice: str) -> None:
    check = judge_stream(SPEC, FRONT, dataclasses.replace(GOOD, **change))
    assert check.level is Level.FAILURE
    assert text in check.text and advice in check.advice


def test_dropped_images_are_counted_and_point_to_the_transport() -> None:
    kept = [stamp for i, stamp in enumerate(STAMPS) if i % 3 or i in (0, 59)]
    check = judge_stream(SPEC, FRONT, dataclasses.replace(GOOD, stamps_s=kept))
    assert check.level is Level.WARNING and "fastdds_mixed.xml" in check.advice
    assert check.values["dropped"] == pytest.approx(1 - len(kept) / 60, abs=0.01)


def test_camera_slower_than_the_policy_steps_is_a_warning() -> None:
    slow = dataclasses.replace(GOOD, stamps_s=(np.arange(30) / 10.0).tolist())
    check = judge_stream(SPEC, FRONT, slow)
    assert check.level is Level.WARNING and "20 Hz" in check.advice


@pytest.mark.parametrize(("offset_s", "level"), [(0.0, Level.OK), (0.02, Level.OK), (0.5, Level.FAILURE)])
def test_cameras_half_a_second_apart_are_a_failure(offset_s: float, level: Level) -> None:
    once_a_second = [100.0, 101.0, 102.0, 103.0]
    stamps = {"front": once_a_second, "wrist": [stamp + offset_s for stamp in once_a_second]}
    check = judge_skew(SPEC, stamps)
    assert check.level is level and check.values["skew_s"] == pytest.approx(offset_s)


def test_every_stream_of_the_spec_is_judged() -> None:
    samples = {
        name: dataclasses.replace(GOOD, types=[stream.type], stamps_s=STAMPS)
        for name, stream in SPEC.streams.items()
    }
    checks = judge_streams(SPEC, samples)
    assert [check.name for check in checks] == [f"stream {name}" for name in SPEC.streams] + ["skew"]
    assert all(check.level is Level.OK for check in checks)


def test_single_message_has_no_rate() -> None:
    assert rate_and_drops([1.0]) == (0.0, 0.0)


JOINTS = SPEC.streams["joints"]
TWO = dataclasses.replace(GOOD, types=[JOINTS.type], publishers=["driver", "joint_state_publisher"])


def test_two_publishers_are_named_and_never_taken_for_losses() -> None:
    stamps = sorted([*STAMPS, *(stamp + 0.003 for stamp in STAMPS)])
    both = dataclasses.replace(TWO, stamps_s=stamps, ages_s=[0.01] * 120)
    check = judge_stream(SPEC, JOINTS, both)
    assert check.level is Level.WARNING and "dropped" not in check.text
    assert "2 publishers: driver, joint_state_publisher" in check.text and "one node" in check.advice


def test_two_publishers_that_contradict_each_other_are_a_failure() -> None:
    check = judge_stream(SPEC, JOINTS, dataclasses.replace(TWO, problem="is not believed", refused=50))
    assert check.level is Level.FAILURE
    assert "is not believed (50 of 60 messages)" in check.text and "driver" in check.text


def test_two_publishers_of_different_joints_are_fine() -> None:
    assert judge_stream(SPEC, JOINTS, dataclasses.replace(TWO, incomplete=60)).level is Level.OK


def test_one_bad_message_among_good_ones_is_a_warning() -> None:
    check = judge_stream(SPEC, FRONT, dataclasses.replace(GOOD, problem="'front' is 64x48", refused=1))
    assert check.level is Level.WARNING and "(1 of 60 messages)" in check.text


def test_zero_stamps_are_called_so() -> None:
    zero = dataclasses.replace(GOOD, stamps_s=[0.0] * 60, ages_s=[1e9] * 60)
    check = judge_stream(SPEC, FRONT, zero)
    assert check.level is Level.FAILURE and "zero stamp" in check.text and "header.stamp" in check.advice
