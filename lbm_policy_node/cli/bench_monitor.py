# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-monitor`: what each score costs per chunk on one core."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lbm_policy_node.doctor.doctor_machine import python

TARGET_SCORE, TARGET_SAMPLES, TARGET_MS = "energy_ood", 32, 3.0
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def measure(samples: Sequence[int], repeats: int) -> dict[str, Any]:
    """Measure in a process of its own: numerical libraries read their number of threads at start-up only.

    Raises:
        click.ClickException: The process failed.
    """
    arguments = ["-m", "lbm_policy_node.bench.bench_monitor_run", str(repeats), *map(str, samples)]
    try:
        return json.loads(python(arguments, os.environ | ONE_THREAD, timeout_s=600.0))
    except RuntimeError as error:
        raise click.ClickException(f"the measurement failed: {error}") from error


def table(result: Mapping[str, Any]) -> str:
    """Return a line per score: median and 99th percentile for each number of samples."""
    counts = list(result["ms"])
    head = f"{'ms per chunk':16}" + "".join(f"{f'K = {k}':>20}" for k in counts)
    second = f"{'':16}" + f"{'median':>12}{'p99':>8}" * len(counts)
    lines = [head, second]
    for name in result["ms"][counts[0]]:
        found = (result["ms"][k][name] for k in counts)
        lines.append(f"{name:16}" + "".join(f"{f['median']:12.3f}{f['p99']:8.3f}" for f in found))
    return "\n".join(lines)


def verdict(result: Mapping[str, Any]) -> str:
    """Say whether the score of the shipped calibration meets its target."""
    found = result["ms"][str(TARGET_SAMPLES)][TARGET_SCORE]["median"]
    met = click.style("met", fg="green") if found <= TARGET_MS else click.style("missed", fg="red")
    return f"{TARGET_SCORE}, K = {TARGET_SAMPLES}: median {found:.3f} ms; target <= {TARGET_MS:g} ms: {met}"


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
    result = measure(tuple(dict.fromkeys(samples)), repeats)
    click.echo(f"overlap {result['rows']} rows of {result['width']} values: D = {result['dim']}, one thread")
    click.echo(table(result))
    if TARGET_SAMPLES in samples:
        click.echo(verdict(result))
    if json_path:
        json_path.write_text(json.dumps(result) + "\n", encoding="utf-8")
