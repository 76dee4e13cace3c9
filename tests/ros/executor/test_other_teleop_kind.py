# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Over real topics: a teleop kind of another package, with a message type that no built-in kind has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lbm_msgs.msg import ControlState
from rclpy.lifecycle import TransitionCallbackReturn
from std_msgs.msg import Bool, Float64MultiArray

from helpers.executor_harness import add_executor_node
from helpers.fake_robot import TICK_NS
from helpers.ros_graph import Graph
from helpers.takeover_harness import Operator, write_spec
from helpers.teleop_package import SOURCE, TELEOP, teleop_package

TOPICS = {"/speeds": Float64MultiArray, "/pedal": Bool}


@pytest.fixture
def operator(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with teleop_package(tmp_path, monkeypatch):
        yield Operator(graph, tmp_path, teleop=TELEOP, types=TOPICS)


def hold(operator: Operator, ticks: int, *speeds: float, pressed: bool = True) -> None:
    for _ in range(ticks):
        operator.put("/speeds", Float64MultiArray(data=speeds))
        operator.pedal("/pedal", pressed)
        operator.graph.step()


def test_a_stick_of_another_package_takes_over_moves_the_robot_and_hands_back(operator: Operator) -> None:
    operator.drive()
    hold(operator, 1, 0.0, 0.0, pressed=False)
    hold(operator, 30, 0.0, 0.0)
    assert (operator.state.mode, operator.state.source) == (ControlState.HUMAN, "stick")
    x, y = operator.graph.robot.position[:2]
    hold(operator, 20, -0.1, 0.2)
    moved = [now - then for now, then in zip(operator.graph.robot.position, (x, y), strict=False)]
    seconds = 20 * TICK_NS / 1e9
    assert moved == pytest.approx([0.2 * seconds, -0.1 * seconds], abs=0.2 * TICK_NS / 1e9)
    hold(operator, 1, 0.1)
    assert "stick: 1 speeds" in operator.text
    hold(operator, 42, 0.0, 0.0, pressed=False)
    assert operator.state.mode == ControlState.HOLD


def test_a_message_type_that_is_not_installed_is_refused_at_configure(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCE.replace("std_msgs/msg/Float64MultiArray", "other_msgs/msg/Stick")
    with teleop_package(tmp_path, monkeypatch, source=source):
        node = add_executor_node(graph, write_spec(tmp_path, TELEOP), autostart=False)
        assert node.trigger_configure() is TransitionCallbackReturn.FAILURE
