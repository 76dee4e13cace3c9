# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# launch has no wheel; it comes with an installation of ROS 2:
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Play a recorded episode into policy, executor and monitor in shadow mode; ends with the episode.

ros2 launch lbm_policy replay.launch.py episode:=<folder> checkpoint:=<folder> rate:=1.0

The arguments are the settings of graph/replay.py and of every node; `--show-args` lists them.
"""

from launch import LaunchDescription

from lbm_policy_node.graph.replay import NODES, ReplayConfig, describe_replay
from lbm_policy_node.ros.launch_actions import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by ``ros2 launch``."""
    return launch_description(ReplayConfig, NODES, describe_replay)
