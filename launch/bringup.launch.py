# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# launch has no wheel; it comes with an installation of ROS 2:
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Start policy, executor and monitor for a robot, and the simulated robot with sim:=true.

ros2 launch lbm_policy bringup.launch.py robot:=metaworld checkpoint:=<folder> sim:=true enable_control:=true
    policy_node.n_samples:=8 params_file:=<file>

The arguments are the settings of graph/bringup.py and of every node; `--show-args` lists them.
"""

from launch import LaunchDescription

from lbm_policy_node.graph.bringup import NODES, GraphConfig, describe
from lbm_policy_node.ros.launch_actions import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by ``ros2 launch``."""
    return launch_description(GraphConfig, NODES, describe)
