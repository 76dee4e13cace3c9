# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm doctor`: is everything there, do the robot's topics deliver, and what to do where not."""

import json
import os
from collections.abc import Sequence

import click

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.doctor.doctor_machine import check_machine, python
from lbm_policy_node.doctor.stream_health import Check, Level, StreamSamples, judge_streams
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.bringup import robot_file

COLORS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "red"}


def check_robot(robot: str, chosen: transport.Transport, duration_s: float) -> list[Check]:
    """Listen to the topics of a spec and judge them; a refused spec is a finding too."""
    try:
        file = robot_file(robot)
        spec = RobotSpec.load(file)
    except (SpecError, OSError) as error:
        return [Check("robot spec", Level.FAILURE, str(error), "correct the file or its name")]
    arguments = ["-m", "lbm_policy_node.ros.doctor.stream_probe", str(file), "--duration-s", str(duration_s)]
    try:
        answer = python(arguments, chosen.applied_to(os.environ), timeout_s=duration_s + 60.0)
    except RuntimeError as error:
        return [
            Check("robot spec", Level.FAILURE, f"could not listen: {error}", "look at the check of ROS 2")
        ]
    found = json.loads(answer.strip().splitlines()[-1])["streams"]
    samples = {name: StreamSamples(**values) for name, values in found.items()}
    return [Check("robot spec", Level.OK, f"{spec.name} ({file})"), *judge_streams(spec, samples)]


def as_text(checks: Sequence[Check]) -> str:
    """Return a line per check, and what to do below it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark = click.style(f"{check.level.value:7}", fg=COLORS[check.level])
        lines.append(f"{mark}  {check.name:{width}}  {check.text}")
        if check.advice:
            lines.append(f"{'':7}  {'':{width}}  -> {check.advice}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Return the same for programs."""
    return json.dumps(
        [
            {
                "name": check.name,
                "level": check.level.value,
                "text": check.text,
                "advice": check.advice,
                "values": dict(check.values),
            }
            for check in checks
        ],
        indent=1,
    )


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
