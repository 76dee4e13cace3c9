# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Bad input stops inference with a reason on the status, and good input starts it again without help."""

import json
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lbm_msgs.msg import PolicyStatus, Reason

from helpers.fake_robot import SIZE, SPEC, START_NS, TICKS_PER_STEP
from helpers.policy_harness import PolicyUser, add_policy_node, make_checkpoint
from helpers.ros_graph import Graph
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import conversion

BLOCKED_TICKS = 60


@pytest.fixture
def running(graph: Graph, spec_file: Path, tmp_path: Path) -> PolicyUser:
    """A user with a run that has published two chunks."""
    add_policy_node(graph, spec_file, make_checkpoint(tmp_path / "checkpoint"))
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")
    graph.step(TICKS_PER_STEP)
    user.start()
    user.run_until_chunks(2)
    return user


def expect_block_and_recovery(user: PolicyUser, stream: str, change: Callable[[Any], Any], code: int) -> str:
    """Break a stream, expect silence with a reason; mend it, expect chunks. Returns the reason's text."""
    graph, robot = user.graph, user.graph.robot
    robot.change[stream] = change
    graph.step_until(lambda: user.in_state(PolicyStatus.BLOCKED, code), f"BLOCKED with {code}", max_ticks=80)
    text, before = user.status.reason.text, len(user.chunks)
    graph.step(BLOCKED_TICKS)
    assert len(user.chunks) == before and user.in_state(PolicyStatus.BLOCKED)
    del robot.change[stream]
    user.run_until_chunks(before + 2)
    graph.step_until(lambda: user.in_state(PolicyStatus.RUNNING, Reason.OK), "RUNNING again")
    assert user.status.n_blocked > 0
    return text


def with_fields(**fields: Any) -> Callable[[Any], Any]:
    def change(message: Any) -> Any:
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    return change


def smaller_image(message: Any) -> Any:
    message.height = message.width = SIZE // 2
    message.step = message.width * 3
    message.data = array("B", bytes(message.step * message.height))
    return message


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (smaller_image, Reason.OBSERVATION_WRONG_SHAPE, "8x8"),
        (with_fields(encoding="32FC1"), Reason.OBSERVATION_WRONG_ENCODING, "32FC1"),
        (with_fields(encoding="rgba8"), Reason.OBSERVATION_WRONG_ENCODING, "step"),
        (with_fields(step=1), Reason.OBSERVATION_WRONG_ENCODING, "step is 1"),
        (with_fields(data=array("B", b"123")), Reason.OBSERVATION_WRONG_ENCODING, "3 bytes"),
    ],
)
def test_an_image_of_wrong_size_or_encoding_blocks(running, change, code, named):
    assert named in expect_block_and_recovery(running, "front", change, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_fields(name=["other"], position=[1.0]), Reason.OBSERVATION_WRONG_JOINTS),
        (with_fields(name=["gripper_opening"] * 2, position=[1.0] * 2), Reason.OBSERVATION_WRONG_JOINTS),
        (with_fields(position=[0.0, float("nan")]), Reason.OBSERVATION_NON_FINITE),
        (with_fields(position=[0.0, float("inf")]), Reason.OBSERVATION_NON_FINITE),
        (with_fields(position=[]), Reason.OBSERVATION_WRONG_SHAPE),
    ],
)
def test_missing_doubled_or_non_finite_joints_block(running, change, code):
    expect_block_and_recovery(running, "joints", change, code)


def test_a_joint_that_the_robot_does_not_publish_is_named_with_file_and_key(running, spec_file):
    change = with_fields(name=["finger"], position=[1.0])
    text = expect_block_and_recovery(running, "joints", change, Reason.OBSERVATION_WRONG_JOINTS)
    assert "gripper_opening" in text and "finger" in text
    assert f"state[1].joints of {spec_file}" in text


def test_reordered_joints_are_matched_by_name(running):
    running.graph.robot.change["joints"] = with_fields(name=["gripper_opening", "other"], position=[0.7, 9.0])
    running.run_until_chunks(len(running.chunks) + 2)
    held = chunk_from_message(running.chunks[-1]).actions[0, 3]
    assert held == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize("stream", ["front", "wrist", "joints", "ee_pose"])
def test_a_stream_that_stops_blocks(running, stream):
    text = expect_block_and_recovery(running, stream, lambda message: None, Reason.OBSERVATION_STALE)
    assert f"'{stream}'" in text


def test_a_pose_in_another_frame_blocks(running):
    def other_frame(message: Any) -> Any:
        message.header.frame_id = "camera"
        return message

    text = expect_block_and_recovery(running, "ee_pose", other_frame, Reason.OBSERVATION_WRONG_FRAME)
    assert "camera" in text


def test_cameras_half_a_second_apart_block(running):
    def late(message: Any) -> Any:
        message.header.stamp = conversion.to_stamp(to_ns(message.header.stamp) - 500_000_000)
        return message

    expect_block_and_recovery(running, "wrist", late, Reason.OBSERVATION_STALE)


def test_cameras_that_are_fresh_but_apart_block(graph, tmp_path):
    spec = tmp_path / "patient.yaml"
    spec.write_text(SPEC.replace("max_age_s: 0.25", "max_age_s: 2.0"), encoding="utf-8")
    add_policy_node(graph, spec, make_checkpoint(tmp_path / "checkpoint"))
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")

    def late(message: Any) -> Any:
        message.header.stamp = conversion.to_stamp(to_ns(message.header.stamp) - 500_000_000)
        return message

    graph.robot.change["wrist"] = late
    graph.step(2 * TICKS_PER_STEP)
    user.start()
    graph.step_until(
        lambda: user.in_state(PolicyStatus.BLOCKED, Reason.OBSERVATION_SKEWED), "SKEWED", max_ticks=40
    )
    assert not user.chunks
    del graph.robot.change["wrist"]
    user.run_until_chunks(2)


def test_a_clock_that_jumps_back_drops_what_was_buffered_and_recovers(running):
    graph, before = running.graph, len(running.chunks)
    graph.robot.change["front"] = lambda message: None
    graph.jump(-50.0)
    graph.step(2 * TICKS_PER_STEP)
    assert running.in_state(PolicyStatus.BLOCKED)
    assert len(running.chunks) == before
    del graph.robot.change["front"]
    running.run_until_chunks(before + 2)
    assert to_ns(running.chunks[-1].header.stamp) < START_NS
    graph.step_until(lambda: running.in_state(PolicyStatus.RUNNING, Reason.OK), "RUNNING again")
    assert 0.0 <= running.status.elapsed_s < 60.0


def _truncate(folder: Path) -> None:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text[: len(text) // 2])


def _change_config(**values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    return change


def _remove(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_truncate, "config.json"),
        (_remove, "config.json"),
        (_change_config(type="act"), "act"),
        (_change_config(colour="red"), "colour"),
    ],
)
def test_a_spoilt_checkpoint_is_refused_at_configure(graph, spec_file, tmp_path, spoil, named):
    checkpoint = make_checkpoint(tmp_path / "checkpoint")
    spoil(checkpoint)
    expect_refusal(graph, spec_file, checkpoint, Reason.CHECKPOINT_REFUSED, named)


def test_a_checkpoint_with_a_camera_that_the_spec_lacks_is_refused_by_name(graph, spec_file, tmp_path):
    checkpoint = make_checkpoint(tmp_path / "checkpoint", cameras=("front", "wrist", "top"))
    expect_refusal(graph, spec_file, checkpoint, Reason.CHECKPOINT_REFUSED, "observation.images.top")


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("base_frame: base", "base_frame: base\ncolour: red", "colour"),
        ("step_s: 0.05", "step_s: fast", "step_s"),
        ("{stream: front, height: 16, width: 16}", "{stream: rear, height: 16, width: 16}", "rear"),
    ],
)
def test_a_spec_with_an_unknown_key_or_wrong_type_is_refused(graph, tmp_path, before, after, named):
    spec = tmp_path / "bad.yaml"
    spec.write_text(SPEC.replace(before, after), encoding="utf-8")
    checkpoint = make_checkpoint(tmp_path / "checkpoint")
    text = expect_refusal(graph, spec, checkpoint, Reason.SPEC_REFUSED, named)
    assert str(spec) in text


def expect_refusal(graph: Graph, spec: Path, checkpoint: Path, code: int, named: str) -> str:
    """Start the node, expect it to stay unconfigured and to refuse goals. Returns the reason's text."""
    add_policy_node(graph, spec, checkpoint)
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.UNCONFIGURED, code), "the refusal on the status")
    assert named in user.status.reason.text
    text = user.status.reason.text
    graph.step(20)
    assert user.start().error_code == Reason.NOT_ACTIVE
    graph.step(20)
    assert not user.chunks
    return text
