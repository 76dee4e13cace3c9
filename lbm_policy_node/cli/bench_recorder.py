# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-recorder`: what recording costs, and whether anything is lost at full camera rate."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from lbm_policy_node.bench.bench_recorder_run import measure_recorder
from lbm_policy_node.bench.bench_run import BenchError
from lbm_policy_node.graph.transport import CHOICES


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="How long to record.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to write; default: a temporary folder."
)
@click.option("--transport", type=click.Choice(CHOICES), default="large_data", show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
def command(seconds: float, folder: Path | None, transport: str, json_path: Path | None) -> None:
    """Measure what recording costs at full camera rate, and what is lost."""
    try:
        with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryDirectory(dir=folder) as episodes:
            figures = measure_recorder(
                Path(temporary), Path(episodes), seconds=seconds, transport_name=transport
            )
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(figures))
    if json_path:
        json_path.write_text(json.dumps(asdict(figures)) + "\n", encoding="utf-8")
