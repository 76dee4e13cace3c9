# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-monitor`: what each score costs per chunk on one core."""

import json
from pathlib import Path

import click

from lbm_policy_node.bench.bench_monitor_table import TARGET_SAMPLES, table, verdict
from lbm_policy_node.bench.one_thread import measure_with_one_thread


@click.command()
@click.option(
    "--samples",
    multiple=True,
    type=click.IntRange(1, 1024),
    default=(8, 32, 256),
    show_default=True,
    help="Samples per chunk; may be given several times.",
)
@click.option("--repeats", type=click.IntRange(1), default=200, show_default=True, help="Chunks per score.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the table to this file.")
def command(samples: tuple[int, ...], repeats: int, json_path: Path | None) -> None:
    """Measure the cost of each score per chunk, with one thread.

    Each figure is for a new pair of chunks: aligning it, its distances and the score. The line "pair" is the
    first two alone. Scores with trained weights are those of
    checkpoints/mt10; one whose files are not there is left out.
    """
    module, counts = "lbm_policy_node.bench.bench_monitor_run", dict.fromkeys(samples)
    try:
        result = measure_with_one_thread(module, repeats, *counts, timeout_s=600.0)
    except RuntimeError as error:
        raise click.ClickException(f"the measurement failed: {error}") from error
    click.echo(f"overlap {result['rows']} rows of {result['width']} values: D = {result['dim']}, one thread")
    click.echo(table(result))
    if TARGET_SAMPLES in samples:
        click.echo(verdict(result))
    if json_path:
        json_path.write_text(json.dumps(result) + "\n", encoding="utf-8")
