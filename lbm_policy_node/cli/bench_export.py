# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-export`: how fast recorded episodes become a dataset, against the time they took to record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from tqdm import tqdm

from lbm_policy_node.bench.bench_export_run import TARGET, measure
from lbm_policy_node.data.datasets.export import ExportError
from lbm_policy_node.data.datasets.export_run import find_episodes


@click.command(name="bench-export")
@click.argument(
    "episodes", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="The fastest one counts.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all runs to this file.")
def command(episodes: tuple[Path, ...], runs: int, json_path: Path | None) -> None:
    """Measure how fast EPISODES are exported.

    The target, five times real time, is for two cameras of 640x480 on two cores with nothing else to do.
    """
    try:
        paths = find_episodes(episodes)
        rates = [measure(paths) for _ in tqdm(range(runs), desc="export", unit="run")]
    except ExportError as error:
        raise click.ClickException(str(error)) from error
    for rate in rates:
        click.echo(str(rate))
    best = max(rate.times_real_time for rate in rates)
    verdict = click.style("met", fg="green") if best >= TARGET else click.style("missed", fg="red")
    click.echo(f"best {best:.1f} x real time; target {TARGET:g} x: {verdict}")
    if json_path:
        values = [{**asdict(rate), "times_real_time": rate.times_real_time} for rate in rates]
        json_path.write_text(json.dumps({"target": TARGET, "runs": values}, indent=1) + "\n")
