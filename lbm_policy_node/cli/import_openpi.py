# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm import-openpi: an openpi PyTorch checkpoint as a LeRobot directory."""

from __future__ import annotations

from pathlib import Path

import click

from lbm_policy_node.policies.checkpoint.errors import CheckpointError


def _camera(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict:
    """KEY=HEIGHTxWIDTH to a mapping."""
    cameras = {}
    for value in values:
        key, _, size = value.partition("=")
        numbers = size.split("x")
        if not key or len(numbers) != 2 or not all(number.isdigit() for number in numbers):
            raise click.BadParameter(f"'{value}', expected KEY=HEIGHTxWIDTH")
        cameras[key] = (int(numbers[0]), int(numbers[1]))
    return cameras


@click.command(name="import-openpi")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--camera",
    "cameras",
    multiple=True,
    required=True,
    callback=_camera,
    help="KEY=HEIGHTxWIDTH of the robot, in openpi's order: base, left wrist, right wrist. Repeat.",
)
@click.option("--state-dim", type=int, help="Width of the robot's state; default: of the statistics.")
@click.option("--action-dim", type=int, help="Width of the robot's action; default: of the statistics.")
@click.option("--horizon", type=int, help="Actions per chunk, if the checkpoint has no config.json.")
@click.option("--asset", help="Folder in assets/ whose statistics to take.")
@click.option("--action-names", help="Names of the action columns, separated by commas.")
@click.option("--relative", is_flag=True, help="Trained with DeltaActions; columns named gripper are not.")
@click.option("--vision-heads", type=int, help="Attention heads of a vision tower of unpublished size.")
@click.option("--tokenizer", type=click.Path(path_type=Path, exists=True), help="Folder with tokenizer.json.")
def command(source: Path, out: Path, action_names: str | None, **facts: object) -> None:
    """Make OUT a LeRobot pi0 or pi0.5 directory from openpi's SOURCE; the weights are linked, not copied."""
    from lbm_policy_node.policies.pi0.openpi import OpenpiFacts, import_openpi

    names = None if action_names is None else tuple(action_names.split(","))
    try:
        import_openpi(source, out, OpenpiFacts(action_names=names, **facts))  # type: ignore[arg-type]
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"checkpoint: {out}")
