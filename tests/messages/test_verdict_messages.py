# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts survive the way over a message, and levels mean the same on both sides."""

import dataclasses
import math

import pytest
from builtin_interfaces.msg import Time
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import MonitorVerdict
from rclpy.serialization import deserialize_message, serialize_message

from helpers.differing import differing
from helpers.recorded_messages import record
from lbm_policy_node.monitors.verdict import Level, Verdict
from lbm_policy_node.ros.verdict_messages import fault_message, verdict_message


def over_the_wire(message: MonitorVerdict) -> MonitorVerdict:
    return deserialize_message(serialize_message(message), MonitorVerdict)


def stop(**changes) -> Verdict:
    values = {
        "stamp_ns": 1_700_000_000_123_456_789,
        "chunk_id": 2**63 + 1,
        "level": Level.STOP,
        "detector": "score:mmd_floored",
        "score": 0.25,
        "statistic": 7.5,
        "warn_threshold": 5.0,
        "stop_threshold": math.inf,
        "overlap_steps": 8,
        "n_samples": 32,
        "calibration_id": "0011223344556677",
        "text": "cusum of mmd_floored is 7.5",
        **changes,
    }
    return Verdict(**values)


def test_a_verdict_comes_back_from_a_recorded_episode_as_it_was(tmp_path):
    verdict = differing(Verdict, level=Level.STOP, detector="score:mmd_floored")
    message = verdict_message(verdict, score_name="mmd_floored")
    (back,) = record(tmp_path / "e", {"monitor_verdicts": [message]}).verdicts
    assert (back.detector, back.monitor) == ("score", "mmd_floored")
    for field in dataclasses.fields(verdict):
        if field.name != "detector":
            assert getattr(back, field.name) == getattr(verdict, field.name), field.name


def test_what_a_verdict_lacks_stays_not_a_number():
    verdict = Verdict(stamp_ns=5, chunk_id=1, level=Level.WARMING_UP, text="a run began")
    back = over_the_wire(verdict_message(verdict, score_name="energy"))
    numbers = ("score", "statistic", "warn_threshold", "stop_threshold")
    assert all(math.isnan(getattr(back, name)) for name in numbers)
    assert (back.level, back.detector, back.text) == (MonitorVerdict.WARMING_UP, "", "a run began")


@pytest.mark.parametrize(
    ("detector", "kind", "monitor"),
    [
        ("score:mmd_floored", "score", "mmd_floored"),
        ("time_limit", "time_limit", "energy"),
        ("progress:vlm", "progress", "vlm"),
    ],
)
def test_a_message_names_the_detector_and_what_it_is_called(detector, kind, monitor):
    message = verdict_message(stop(detector=detector), score_name="energy")
    assert (message.detector, message.monitor) == (kind, monitor)


def test_the_levels_are_those_of_the_message():
    constants = {
        name: getattr(MonitorVerdict, name)
        for name in dir(MonitorVerdict)
        if name.isupper() and isinstance(getattr(MonitorVerdict, name), int)
    }
    assert constants == {level.name: int(level) for level in Level}


def test_a_fault_keeps_a_stamp_that_makes_no_sense():
    chunk = ActionChunkMessage(chunk_id=9, n_samples=4)
    chunk.header.stamp = Time(sec=2**31 - 1, nanosec=2**32 - 1)
    message = over_the_wire(fault_message(chunk, "nonsense", score_name="energy", calibration_id="ab"))
    assert (message.level, message.chunk_id, message.text) == (MonitorVerdict.FAULT, 9, "nonsense")
    assert message.header.stamp == chunk.header.stamp and math.isnan(message.statistic)
