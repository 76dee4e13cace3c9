# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm teleop`: start the keyboard teleop in this terminal."""

import os
import sys

import click

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.core.takeover.joystick import Joystick, joy_source
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.bringup import robot_file
from lbm_policy_node.graph.nodes import NODE_MODULES, NodeProcess


@click.command()
@click.option("--robot", required=True, help="Robot spec: a file, or a name in config/robots.")
@click.option("--source", default="", help="Teleop source of the spec to play; default: its first joystick.")
@click.option("--namespace", default="", help="ROS namespace of the chunk executor.")
@click.option(
    "--transport",
    "transport_name",
    type=click.Choice(transport.CHOICES),
    default="mixed",
    show_default=True,
    help="As the graph was started with; `lbm bringup --sim` takes large_data.",
)
def command(robot: str, source: str, namespace: str, transport_name: str) -> None:
    """Drive a robot by keyboard through the chunk executor, as by gamepad."""
    if not sys.stdin.isatty():
        raise click.ClickException("standard input is no terminal: start this in a terminal, without a pipe")
    try:
        file = robot_file(robot)
        Joystick(joy_source(RobotSpec.load(file), source))
    except (SpecError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    node = NodeProcess(
        name="keyboard_teleop_node",
        module=NODE_MODULES["keyboard_teleop_node"],
        namespace=namespace,
        parameters={"robot": str(file), "source": source},
    )
    chosen = transport.choose(transport_name)
    if chosen.message:
        click.secho(chosen.message, fg="yellow", err=True)
    environment = chosen.applied_to(os.environ)
    os.execve(sys.executable, [sys.executable, "-m", node.module, *node.arguments], environment)
