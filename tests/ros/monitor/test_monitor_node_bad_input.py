# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the monitor node cannot judge has a level and a reason; what it cannot load is refused by name."""

import math
import re
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import MonitorVerdict

from helpers.fake_robot import START_NS
from helpers.monitor_harness import MonitorUser, add_monitor_node, policy_chunk
from lbm_policy_node.ros import conversion

NORMAL = MonitorVerdict.NORMAL
WARMING_UP, FAULT = MonitorVerdict.WARMING_UP, MonitorVerdict.FAULT
NOT_APPLICABLE, UNCALIBRATED = MonitorVerdict.NOT_APPLICABLE, MonitorVerdict.UNCALIBRATED


def _nan(message: ActionChunkMessage) -> None:
    message.samples = array("d", [math.nan] * len(message.samples))


def _huge(message: ActionChunkMessage) -> None:
    message.samples = array("d", [1e308] * len(message.samples))


def _set(**values: Any) -> Callable[[ActionChunkMessage], None]:
    def change(message: ActionChunkMessage) -> None:
        for name, value in values.items():
            setattr(message, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_nan, "finite"),
        (_huge, ""),
        (_set(samples=array("d", [0.0])), "samples has 1 values"),
        (_set(actions=array("d")), "actions has 0 values"),
        (_set(horizon=0), "actions"),
        (_set(step_s=math.nan), "step_s is nan"),
        (_set(step_s=1e300), "step_s is 1e\\+300"),
        (_set(action_names=["x", "x", "y", "gripper"]), "names"),
        (_set(start=Time(sec=2**31 - 1, nanosec=2**32 - 1)), "nanosec"),
        (_set(start=Time(sec=-(2**31))), ""),
        (_set(chunk_id=1), "chunk 1"),
    ],
)
def test_what_cannot_be_judged_is_a_fault_with_a_reason_and_the_next_chunk_is_judged(
    monitor_user, change, text
):
    monitor_user.run(3)
    message = conversion.chunk_message(policy_chunk(3), frame_id="base")
    change(message)
    verdict = monitor_user.say(message)
    assert verdict.level == FAULT and verdict.chunk_id == message.chunk_id
    assert re.search(text, verdict.text), verdict.text
    assert monitor_user.run(2, first=4)[-1] in (NORMAL, WARMING_UP)


def test_chunks_without_overlap_are_a_fault(monitor_user):
    monitor_user.run(2)
    verdict = monitor_user.judge(policy_chunk(2, start_ns=START_NS + 1_000_000_000))
    assert verdict.level == FAULT and verdict.overlap_steps == 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda message: setattr(message, "stochastic", False), "deterministic"),
        (
            lambda message: (setattr(message, "n_samples", 0), setattr(message, "samples", array("d"))),
            "samples",
        ),
    ],
)
def test_a_policy_that_cannot_be_judged_is_never_an_all_clear(monitor_user, change, text):
    for index in range(3):
        message = conversion.chunk_message(policy_chunk(index), frame_id="base")
        change(message)
        verdict = monitor_user.say(message)
        assert verdict.level == NOT_APPLICABLE and text in verdict.text


def test_another_checkpoint_than_the_calibrations_is_uncalibrated_and_named(monitor_user):
    for index in range(3):
        message = conversion.chunk_message(policy_chunk(index), frame_id="base")
        message.checkpoint_id = "ffffffffffffffff"
        verdict = monitor_user.say(message)
        assert verdict.level == UNCALIBRATED and "ffffffffffffffff" in verdict.text
    assert math.isnan(verdict.stop_threshold)


def test_another_number_of_samples_than_the_calibrations_is_uncalibrated(monitor_user):
    verdicts = [monitor_user.judge(policy_chunk(i, n_samples=3)) for i in range(3)]
    assert {v.level for v in verdicts} == {UNCALIBRATED} and "3" in verdicts[-1].text


def test_columns_of_another_robot_are_named_and_never_an_all_clear(monitor_user):
    monitor_user.run(2)
    message = conversion.chunk_message(policy_chunk(2), frame_id="base")
    message.action_names = ["a", "b", "c", "d"]
    verdict = monitor_user.say(message)
    assert verdict.level in (FAULT, UNCALIBRATED) and "a, b, c, d" in verdict.text


@pytest.mark.parametrize("parameter", ["checkpoint", "calibration"])
def test_without_a_calibration_every_verdict_says_so(graph, spec_file, tmp_path, parameter):
    node = add_monitor_node(
        graph, spec_file, **({parameter: str(tmp_path)} if parameter == "checkpoint" else {})
    )
    user = MonitorUser(graph)
    assert user.run(4) == [UNCALIBRATED] * 4
    assert user.verdicts[-1].score >= 0.0, "the score is reported all the same"
    assert node._health().level == DiagnosticStatus.WARN


def state_of(node: Any) -> str:
    return node._state_machine.current_state[1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "is no complete JSON"), ('{"version": 99}', "expected 1"), ("[]", "monitor.json")],
)
def test_a_calibration_that_cannot_be_read_refuses_configure_with_the_file(
    graph, spec_file, tmp_path, text, complaint
):
    (tmp_path / "monitor.json").write_text(text)
    node = add_monitor_node(graph, spec_file, checkpoint=str(tmp_path))
    assert state_of(node) == "unconfigured"
    health = node._health()
    assert health.level == DiagnosticStatus.ERROR
    assert complaint in health.message and str(tmp_path / "monitor.json") in health.message


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"calibration": "/nowhere/monitor.json"}, "/nowhere/monitor.json"),
        ({"checkpoint": "/nowhere"}, "checkpoint is '/nowhere'"),
        ({"robot": "/nowhere.yaml"}, "/nowhere.yaml"),
    ],
)
def test_what_does_not_exist_refuses_configure(graph, spec_file, parameters, complaint):
    node = add_monitor_node(graph, Path(parameters.pop("robot", spec_file)), **parameters)
    assert state_of(node) == "unconfigured" and complaint in node._health().message
