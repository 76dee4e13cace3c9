# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages that nobody needs wake no node, and are there at once when they are needed."""

from typing import Any

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from helpers.fake_robot import TICK_NS, TICKS_PER_STEP
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.streams import StreamSubscriptions


class Listener:
    """A node that needs its streams only while ``needs`` is true."""

    def __init__(self, graph: Any, spec: RobotSpec) -> None:
        self.needs = False
        self.heard: list[tuple[str, int]] = []
        node = Node("listener", parameter_overrides=[Parameter("use_sim_time", value=True)])
        graph.add(node)
        self.streams = StreamSubscriptions(
            node,
            spec.observation_streams,
            lambda stream, stamp_ns, sample, now_ns: self.heard.append((stream, stamp_ns)),
            needed=lambda: self.needs,
        )
        graph.spin_until(graph.robot.is_seen, "the subscriptions")

    def stamps(self, stream: str) -> list[int]:
        return [stamp_ns for name, stamp_ns in self.heard if name == stream]


@pytest.fixture
def listener(graph: Any, spec_file: Any) -> Listener:
    return Listener(graph, RobotSpec.load(spec_file))


def test_messages_that_are_not_needed_wait_in_the_middleware(graph, listener) -> None:
    graph.step(5 * TICKS_PER_STEP)
    assert listener.heard == []
    listener.needs = True
    listener.streams.take_waiting()
    newest_ns = graph.robot.now_ns
    assert listener.stamps("joints") == [
        newest_ns - back * TICK_NS for back in reversed(range(qos.PROPRIO.depth))
    ]
    assert len(listener.stamps("front")) == 1, "only the newest image is kept"
    assert newest_ns - listener.stamps("front")[0] < TICKS_PER_STEP * TICK_NS


def test_messages_come_as_they_arrive_once_they_are_needed(graph, listener) -> None:
    listener.needs = True
    graph.step(2 * TICKS_PER_STEP)
    assert len(listener.stamps("front")) == 2
    listener.needs = False
    listener.heard.clear()
    graph.step(2 * TICKS_PER_STEP)
    assert listener.heard == []


def test_nothing_waits_where_nothing_was_sent(listener) -> None:
    listener.streams.take_waiting()
    assert listener.heard == []
