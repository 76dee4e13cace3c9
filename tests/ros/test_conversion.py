# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A chunk message that contradicts itself is refused; images and times become values."""

import dataclasses
import math
from array import array

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ControlState, PolicyStatus
from sensor_msgs.msg import CompressedImage, Image

from helpers.builders import make_chunk
from helpers.differing import differing
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.image_encoding import ConversionError
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.ros import conversion
from lbm_policy_node.running.goal import Run
from lbm_policy_node.running.report import PolicyReport

COMPRESSED = "sensor_msgs/msg/CompressedImage"


def _chunk() -> ActionChunk:
    random = np.random.default_rng(0)
    return make_chunk(
        chunk_id=7,
        observation_stamp_ns=1_700_000_000_123_456_789,
        actions=random.normal(size=(4, 2)),
        samples=random.normal(size=(3, 4, 2)),
        action_names=("x", "grip"),
        seed=2**64 - 1,
        checkpoint_id="abc",
        instruction="öffne die Tür",
        guided=True,
        stochastic=True,
        inference_s=0.25,
        index=3,
        execution_horizon=2,
        embedding=np.array([0.5, -1.0], np.float32),
        input_streams=("front", "joints"),
        input_stamps_ns=((1_700_000_000_073_456_789, 5), (1_700_000_000_123_456_789, 6)),
    )


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("actions", array("d", [0.0] * 7), "actions has 7 values; expected 4 x 2"),
        ("samples", array("d", [0.0] * 8), "samples has 8 values; expected 3 x 4 x 2"),
        ("horizon", 0, "actions"),
        ("action_names", ["x"], "names"),
        ("step_s", 0.0, "step_s is 0.0; expected above 0"),
        ("step_s", -0.05, "step_s is -0.05"),
        ("step_s", math.nan, "step_s is nan"),
        ("step_s", math.inf, "step_s is inf"),
        ("step_s", 1e300, r"step_s is 1e\+300; expected above 0 and below 3600 s"),
        ("start", Time(sec=1, nanosec=1_000_000_000), "start.nanosec is 1000000000"),
    ],
)
def test_a_chunk_message_that_contradicts_itself_is_refused(field, value, named):
    message = conversion.chunk_message(_chunk(), frame_id="base")
    setattr(message, field, value)
    with pytest.raises(ConversionError, match=named):
        chunk_from_message(message)


def _assert_every_field_is_filled(message, empty):
    """Each field of a message, inner ones too, has a value that an empty message does not have."""
    for name in message.get_fields_and_field_types():
        ours, blank = getattr(message, name), getattr(empty, name)
        assert ours != blank, f"{name} is left at {blank!r}"


RUN = Run(number=3, instruction="go", started_ns=1_000_000_000, time_limit_ns=9_000_000_000, n_chunks=4)
REPORT = differing(
    PolicyReport, state=PolicyState.BLOCKED, reason=Reason(ReasonCode.OBSERVATION_STALE, "late"), run=RUN
)


def test_the_policy_s_status_leaves_no_field_of_the_message_out():
    message = conversion.policy_status_message(REPORT, now_ns=3_000_000_000)
    _assert_every_field_is_filled(message, PolicyStatus())
    assert (message.n_chunks, message.n_blocked) == (REPORT.n_chunks, REPORT.n_blocked)
    assert (message.n_failed, message.n_starved) == (REPORT.n_failed, REPORT.n_starved)
    assert (message.elapsed_s, message.time_limit_s) == (2.0, 9.0)
    for prefix, latency in (("inference", REPORT.inference), ("observation_age", REPORT.age)):
        for field in dataclasses.fields(latency):
            assert getattr(message, f"{prefix}_{field.name}") == getattr(latency, field.name)


def test_feedback_leaves_no_field_of_the_message_out():
    message = conversion.feedback_message(REPORT, now_ns=3_000_000_000)
    _assert_every_field_is_filled(message, RunPolicy.Feedback())
    assert (message.elapsed_s, message.remaining_s, message.n_chunks) == (2.0, 7.0, 4)


def test_a_control_state_leaves_no_field_of_the_message_out():
    command = differing(
        Command,
        action=np.array([1.0, 2.0]),
        mode=ControlMode.HUMAN,
        reason=Reason(ReasonCode.OBSERVATION_STALE, "late"),
        proposed=np.array([3.0, 4.0]),
        plan=None,
        stop=None,
        fixed=("plan", "stop"),  # what controllers get; the message says where the motion is now
    )
    message = conversion.control_state_message(
        command, now_ns=5, frame_id="base", action_names=("x", "y"), control_enabled=True
    )
    _assert_every_field_is_filled(message, ControlState())
    assert (list(message.proposed), list(message.executed)) == ([3.0, 4.0], [1.0, 2.0])
    assert (message.source, message.chunk_id) == (command.source, command.chunk_id)


def test_times_survive_to_the_nanosecond():
    assert to_ns(conversion.to_stamp(1_700_000_000_999_999_999)) == 1_700_000_000_999_999_999


def test_a_compressed_image_becomes_a_sample_and_a_broken_one_a_reason():
    flat = np.full((4, 6, 3), 120, np.uint8)
    data = array("B", cv2.imencode(".png", flat)[1].tobytes())
    sample = conversion.sample_from_message(CompressedImage(format="png", data=data), COMPRESSED)
    np.testing.assert_array_equal(sample, flat)
    broken = conversion.sample_from_message(CompressedImage(format="png", data=data[:20]), COMPRESSED)
    assert isinstance(broken, Reason) and broken.code == ReasonCode.OBSERVATION_WRONG_ENCODING


def test_an_encoding_that_only_cv_bridge_knows_is_named():
    sample = conversion.sample_from_message(
        Image(encoding="64FC4", height=1, width=1, step=32), "sensor_msgs/msg/Image"
    )
    assert isinstance(sample, Reason) and "64FC4" in sample.text
