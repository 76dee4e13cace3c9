# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-observe`: what listening to cameras costs the policy node, idle and in a run."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from lbm_policy_node.bench.bench_observe_run import COMPRESSED, RAW, measure_observe, table
from lbm_policy_node.bench.bench_run import BenchError
from lbm_policy_node.graph.transport import CHOICES


@click.command()
@click.option(
    "--seconds", default=20.0, show_default=True, help="Length of each window; there are two per kind."
)
@click.option("--transport", type=click.Choice(CHOICES), default="large_data", show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
def command(seconds: float, transport: str, json_path: Path | None) -> None:
    """Measure the policy node's processor share, and its executor thread's, in per cent of one core."""
    figures = []
    try:
        for cameras in (RAW, COMPRESSED):
            with tempfile.TemporaryDirectory() as folder:
                measured = measure_observe(Path(folder), cameras, seconds=seconds, transport_name=transport)
            figures.append(measured)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(table(figures))
    if json_path:
        json_path.write_text(json.dumps([asdict(f) for f in figures]) + "\n", encoding="utf-8")
