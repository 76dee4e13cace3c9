# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm info`: what a checkpoint is, and whether it fits a robot."""

from __future__ import annotations

from pathlib import Path

import click

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.policy import PolicySpec


@click.command(name="info")
@click.argument("checkpoint")
@click.option("--robot", help="Robot spec to compare with: a file, or a name in config/robots.")
@click.option("--tokenizer", type=click.Path(path_type=Path), help="Tokenizer, if the checkpoint has none.")
def command(checkpoint: str, robot: str | None, tokenizer: Path | None) -> None:
    """Describe CHECKPOINT, a folder or ws://host:port of a policy server.

    With --robot, exit code 1 when it does not fit.
    """
    from lbm_policy_node.policies.load import load_policy

    try:
        policy = load_policy(checkpoint, tokenizer=tokenizer)
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    rows = {**_spec_rows(policy.spec), **policy.describe()}
    width = max(map(len, rows))
    for key, value in rows.items():
        click.echo(f"{key:<{width}}  {value}")
    if robot is not None:
        _compare(robot, policy.spec)


def _spec_rows(spec: PolicySpec) -> dict[str, str]:
    """The facts that every kind of policy has."""
    step = "unknown" if spec.step_s is None else f"{spec.step_s:g} s"
    rows = {"kind": spec.kind, "checkpoint id": spec.checkpoint_id}
    rows |= {image.key: f"{image.width}x{image.height} RGB" for image in spec.images}
    rows["observation.state"] = _vector(spec.state_dim, spec.state_names)
    rows["action"] = _vector(spec.action_dim, spec.action_names)
    rows["observation steps"] = str(spec.n_obs_steps)
    rows["horizon"] = f"{spec.horizon} rows, {spec.n_action_steps} executed, step {step}"
    rows["uses the instruction"] = "yes" if spec.uses_language else "no"
    rows["samples differ"] = "yes" if spec.stochastic else "no"
    return rows


def _vector(size: int, names: tuple[str, ...] | None) -> str:
    return f"{size} values" + (f": {', '.join(names)}" if names else ", unnamed")


def _compare(robot: str, policy: PolicySpec) -> None:
    """Print the differences to a robot; none is success."""
    from lbm_policy_node.core.spec.compatibility import spec_differences
    from lbm_policy_node.core.spec.robot_spec import RobotSpec, SpecError
    from lbm_policy_node.graph.bringup import robot_file

    try:
        spec = RobotSpec.load(robot_file(robot))
    except (SpecError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    differences = spec_differences(spec, policy)
    if not differences:
        click.echo(f"fits the robot {spec.name}")
        return
    click.echo(f"does not fit the robot {spec.name}:")
    for difference in differences:
        click.echo(f"- {difference}")
    raise SystemExit(1)
