# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# launch has no wheel; it comes with an installation of ROS 2:
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Play a recorded episode into policy, executor and monitor in shadow mode; ends with the episode.

ros2 launch lbm_policy replay.launch.py episode:=<folder> checkpoint:=<folder> rate:=1.0
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from lbm_policy_node.graph.monitor_choice import CHOICES as MONITOR_CHOICES
from lbm_policy_node.graph.replay import ReplayConfig, describe_replay
from lbm_policy_node.graph.transport import CHOICES
from lbm_policy_node.ros.launch_actions import launch_actions

SWITCH = ["true", "false"]
ARGUMENTS = [
    DeclareLaunchArgument("episode", description="Folder of a recorded episode."),
    DeclareLaunchArgument(
        "checkpoint",
        default_value="",
        description="Folder of the policy's checkpoint; empty: only the player, beside a graph that runs.",
    ),
    DeclareLaunchArgument("rate", default_value="1.0", description="Recorded seconds per second."),
    DeclareLaunchArgument(
        "loop", default_value="false", choices=SWITCH, description="Begin again at the end."
    ),
    DeclareLaunchArgument("start_s", default_value="0.0", description="Begin so far into the episode, s."),
    DeclareLaunchArgument(
        "skip_unknown",
        default_value="false",
        choices=SWITCH,
        description="Leave out messages of types that are not installed.",
    ),
    DeclareLaunchArgument(
        "run_policy",
        default_value="true",
        choices=SWITCH,
        description="Start the policy with the recorded instruction.",
    ),
    DeclareLaunchArgument(
        "robot",
        default_value="",
        description="Robot spec: a file, or a name in config/robots; empty: recorded.",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="", description="Namespace of policy, executor and monitor."
    ),
    DeclareLaunchArgument(
        "device", default_value="cpu", description="Where the policy computes: cpu or cuda."
    ),
    DeclareLaunchArgument(
        "monitor",
        default_value="auto",
        choices=list(MONITOR_CHOICES),
        description="Start the monitor; auto: where the checkpoint holds its calibration.",
    ),
    DeclareLaunchArgument(
        "transport", default_value="mixed", choices=list(CHOICES), description="See docs/transport.md."
    ),
]


def read_config(context: LaunchContext) -> ReplayConfig:
    """Return the launch arguments as the replay's configuration."""
    text = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    return ReplayConfig(
        episode=text["episode"],
        checkpoint=text["checkpoint"],
        rate=float(text["rate"]),
        loop=text["loop"] == "true",
        start_s=float(text["start_s"]),
        skip_unknown=text["skip_unknown"] == "true",
        run_policy=text["run_policy"] == "true",
        robot=text["robot"],
        namespace=text["namespace"],
        device=text["device"],
        monitor=text["monitor"],
        transport=text["transport"],
    )


def launch_graph(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return what starts the graph, once the arguments are known."""
    return launch_actions(describe_replay(read_config(context)))


def generate_launch_description() -> LaunchDescription:
    """Called by ``ros2 launch``."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=launch_graph)])
