# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# launch has no wheel; it comes with an installation of ROS 2:
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Start policy, executor and monitor for a robot, and the simulated robot with sim:=true.

ros2 launch lbm_policy bringup.launch.py robot:=metaworld checkpoint:=<folder> sim:=true enable_control:=true
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from lbm_policy_node.graph.bringup import TELEOP_CHOICES, GraphConfig, describe
from lbm_policy_node.graph.monitor_choice import CHOICES as MONITOR_CHOICES
from lbm_policy_node.graph.transport import CHOICES
from lbm_policy_node.ros.launch_actions import launch_actions

SWITCH = ["true", "false"]
ARGUMENTS = [
    DeclareLaunchArgument("robot", description="Robot spec: a file, or a name in config/robots."),
    DeclareLaunchArgument("checkpoint", description="Folder of the policy, or ws://host:port of a server."),
    DeclareLaunchArgument(
        "sim", default_value="false", choices=SWITCH, description="Start the simulated robot."
    ),
    DeclareLaunchArgument(
        "enable_control",
        default_value="false",
        choices=SWITCH,
        description="Send commands; false is shadow mode.",
    ),
    DeclareLaunchArgument(
        "transport", default_value="auto", choices=["auto", *CHOICES], description="See docs/transport.md."
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="auto",
        choices=["auto", *SWITCH],
        description="Follow /clock; auto: with sim.",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="", description="Namespace of policy, executor and monitor."
    ),
    DeclareLaunchArgument(
        "device", default_value="cpu", description="Where the policy computes: cpu or cuda."
    ),
    DeclareLaunchArgument("task", default_value="reach", description="First task of the simulated robot."),
    DeclareLaunchArgument(
        "real_time_factor", default_value="1.0", description="Simulated seconds per second."
    ),
    DeclareLaunchArgument(
        "monitor",
        default_value="auto",
        choices=list(MONITOR_CHOICES),
        description="Start the monitor; auto: where the checkpoint holds its calibration.",
    ),
    DeclareLaunchArgument(
        "monitor_stop",
        default_value="hold",
        choices=["hold", "warn"],
        description="What a STOP of the monitor does.",
    ),
    DeclareLaunchArgument(
        "after_takeover",
        default_value="hold",
        choices=["hold", "resume"],
        description="What releasing the dead-man switch does.",
    ),
    DeclareLaunchArgument(
        "teleop",
        default_value="",
        choices=list(TELEOP_CHOICES),
        description="scripted: with sim, an operator who takes over by the simulator's expert.",
    ),
    DeclareLaunchArgument(
        "record",
        default_value="false",
        choices=SWITCH,
        description="Record an episode per run of the policy.",
    ),
    DeclareLaunchArgument(
        "episodes", default_value="episodes", description="Folder of the recorded episodes."
    ),
]


def read_config(context: LaunchContext) -> GraphConfig:
    """Return the launch arguments as the graph's configuration; "auto" is None there."""
    text = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    return GraphConfig(
        robot=text["robot"],
        checkpoint=text["checkpoint"],
        sim=text["sim"] == "true",
        enable_control=text["enable_control"] == "true",
        transport=None if text["transport"] == "auto" else text["transport"],
        use_sim_time=None if text["use_sim_time"] == "auto" else text["use_sim_time"] == "true",
        namespace=text["namespace"],
        device=text["device"],
        task=text["task"],
        real_time_factor=float(text["real_time_factor"]),
        monitor=text["monitor"],
        monitor_stop=text["monitor_stop"],
        after_takeover=text["after_takeover"],
        teleop=text["teleop"],
        record=text["record"] == "true",
        episodes=text["episodes"],
    )


def launch_graph(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return what starts the graph, once the arguments are known."""
    return launch_actions(describe(read_config(context)))


def generate_launch_description() -> LaunchDescription:
    """Called by ``ros2 launch``."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=launch_graph)])
