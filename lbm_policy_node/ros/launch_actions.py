# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
# launch has no wheel; it comes with an installation of ROS 2, and only the launch files import this module:
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""The description of a graph as actions of ``ros2 launch``: what both launch files start."""

from launch import LaunchDescriptionEntity
from launch.actions import LogInfo, Shutdown, UnsetEnvironmentVariable
from launch_ros.actions import Node

from lbm_policy_node.graph.bringup import Graph, NodeProcess
from lbm_policy_node.graph.transport import VARIABLES


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
