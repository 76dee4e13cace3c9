# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm doctor`: is everything there, do the robot's topics deliver, and what to do where not."""

import click

from lbm_policy_node.doctor.doctor_machine import check_machine
from lbm_policy_node.doctor.doctor_report import as_json, as_text
from lbm_policy_node.doctor.doctor_robot import check_robot
from lbm_policy_node.doctor.stream_health import Level
from lbm_policy_node.graph import transport


@click.command()
@click.option(
    "--robot", help="Robot spec whose topics are to be measured: a file, or a name in config/robots."
)
@click.option(
    "--transport",
    "transport_name",
    type=click.Choice(transport.CHOICES),
    default="mixed",
    show_default=True,
    help="How to listen: large_data sees only graphs started with it, the others only those without.",
)
@click.option("--duration", default=3.0, show_default=True, help="Seconds to listen.")
@click.option("--json", "json_output", is_flag=True, help="Print JSON.")
def command(robot: str | None, transport_name: str, duration: float, json_output: bool) -> None:
    """Check GPU, ROS 2, rendering and the topics of a robot spec; exit with 1 if the graph would not run."""
    chosen = transport.choose(transport_name)
    checks = check_machine(chosen)
    if robot:
        checks += check_robot(robot, chosen, duration)
    click.echo(as_json(checks) if json_output else as_text(checks))
    raise SystemExit(1 if any(check.level is Level.FAILURE for check in checks) else 0)
