# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm verify`: a checkpoint's numbers against reference tensors."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from lbm_policy_node.policies.checkpoint.errors import CheckpointError


@click.command(name="verify")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--reference", type=click.Path(path_type=Path), required=True, help="ref.safetensors with stored tensors."
)
@click.option(
    "--instruction", help="Instruction behind the reference; default: 'task' in ref.json beside it."
)
@click.option("--device", default="cpu", show_default=True, help="torch device.")
@click.option("--tokenizer", type=click.Path(path_type=Path), help="Tokenizer, if the checkpoint has none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    checkpoint: Path,
    reference: Path,
    instruction: str | None,
    device: str,
    tokenizer: Path | None,
    as_json: bool,
) -> None:
    """Compare CHECKPOINT stage by stage with stored tensors; exit code 1 beyond a tolerance."""
    from lbm_policy_node.policies.verification import verify_checkpoint

    try:
        options = {"instruction": instruction, "device": device, "tokenizer": tokenizer}
        results = list(verify_checkpoint(checkpoint, reference, **options))
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error
    except KeyError as error:
        raise click.ClickException(f"{reference}: tensor {error} is missing") from error
    except RuntimeError as error:
        raise click.ClickException(f"{reference} does not fit {checkpoint}: {error}") from error
    if as_json:
        click.echo(json.dumps([{**asdict(result), "ok": result.ok} for result in results], indent=2))
    else:
        for result in results:
            mark = "ok" if result.ok else "DIFFERS"
            click.echo(
                f"{result.stage:<22} {result.difference:.2e}  tolerance {result.tolerance:.0e}  {mark}"
            )
    if not all(result.ok for result in results):
        raise SystemExit(1)
