# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# launch has no wheel; it comes with an installation of ROS 2, and only the launch files import this module:
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""A starter of graph/ as a launch description of ``ros2 launch``: what both launch files are made of."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown, UnsetEnvironmentVariable
from launch_ros.actions import Node

from lbm_policy_node.graph.arguments import Argument, config_of, launch_arguments
from lbm_policy_node.graph.bringup import Graph
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.transport import VARIABLES

Config = TypeVar("Config")


def launch_description(
    kind: type[Config], nodes: Iterable[str], describe: Callable[[Config], Graph]
) -> LaunchDescription:
    """Return the arguments of a starter, and what starts its graph once they are known.

    Args:
        kind: Dataclass with the starter's settings.
        nodes: The nodes that it may start.
        describe: What makes a graph of the settings.
    """

    def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
        return launch_actions(describe(config_of(kind, context.launch_configurations)))

    arguments = map(_declared, launch_arguments(kind, nodes))
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])


def _declared(argument: Argument) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(
        argument.name,
        default_value=argument.default,
        description=argument.description,
        choices=list(argument.choices) or None,
    )


def launch_actions(graph: Graph) -> list[LaunchDescriptionEntity]:
    """Return what starts a graph: the messages for the user, and each process with its environment."""
    return [
        *(UnsetEnvironmentVariable(name) for name in VARIABLES),
        *(LogInfo(msg=message) for message in graph.messages),
        *(_launch_node(process) for process in graph.processes),
    ]


def _launch_node(process: NodeProcess) -> Node:
    """Return the launch action of one process; when it ends, so does the launch."""
    return Node(
        package="lbm_policy",
        executable=process.executable,
        name=process.name,
        namespace=process.namespace,
        parameters=[dict(process.parameters)],
        additional_env=dict(process.environment),
        output="screen",
        emulate_tty=True,
        on_exit=Shutdown(reason=f"{process.name} ended"),
    )
