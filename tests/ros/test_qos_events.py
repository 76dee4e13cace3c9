# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""QoS events cost the executor next to nothing, and a topic that does not match is still reported."""

from pathlib import Path

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from std_msgs.msg import Bool

from helpers.executor_harness import add_executor_node
from helpers.ros_graph import Graph
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.qos_events import OPEN_S, PERIOD_S, Seldom, look_seldom


def test_a_group_is_open_at_the_start_of_each_period_only():
    now = [100.0]
    group = Seldom(clock=lambda: now[0])
    seen = {}
    for moment in (
        0.0,
        OPEN_S / 2,
        2 * OPEN_S,
        0.9 * PERIOD_S,
        1.5 * PERIOD_S,
        2.4 * PERIOD_S,
        9.0 * PERIOD_S,
    ):
        now[0] = 100.0 + moment
        seen[moment] = group.can_execute(None)
    assert list(seen.values()) == [True, True, False, False, True, False, True]


def test_a_configured_node_waits_for_no_qos_event_between_two_looks(graph: Graph, spec_file: Path):
    node = add_executor_node(graph, spec_file, enable_control=True)
    assert all(isinstance(waitable.callback_group, Seldom) for waitable in node.waitables)
    assert len(list(node.waitables)) >= 20  # what each turn of the executor is spared


def test_a_publisher_that_does_not_match_is_reported(graph: Graph):
    node, reported = Node("listener"), []
    events = SubscriptionEventCallbacks(incompatible_qos=reported.append)
    node.create_subscription(Bool, "estop", lambda _message: None, qos.EVENT, event_callbacks=events)
    look_seldom(node)
    graph.add(node)
    graph.robot.create_publisher(Bool, "/estop", qos.TELEOP)  # best effort, where reliable is asked for
    graph.spin_until(lambda: reported, "the mismatch to be reported")
    assert reported[0].total_count == 1
