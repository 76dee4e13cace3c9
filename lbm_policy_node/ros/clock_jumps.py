# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Notify a node that the ROS clock went back: a simulation was reset, a bag started over."""

from collections.abc import Callable

from rclpy.clock import JumpHandle, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.node import Node

from lbm_policy_node.core.clock_guard import TOLERANCE_NS


def watch_jumps_back(node: Node, callback: Callable[[TimeJump], None]) -> JumpHandle:
    """Call back, in the node's executor thread, after each clear jump back; keep what is returned."""
    threshold = JumpThreshold(
        min_forward=None, min_backward=Duration(nanoseconds=-TOLERANCE_NS), on_clock_change=False
    )
    return node.get_clock().create_jump_callback(threshold, post_callback=callback)
