# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-replay`: how much faster than real time an episode of the weightless policy replays."""

import json
from pathlib import Path

import click

from lbm_policy_node.bench.one_thread import measure_with_one_thread

TARGET = 20.0


@click.command(name="bench-replay")
@click.option(
    "--seconds", type=click.FloatRange(1.0), default=20.0, show_default=True, help="Of the episode."
)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True, help="Replays of each size.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
def command(seconds: float, repeats: int, json_path: Path | None) -> None:
    """Measure the replay of the weightless policy, with one thread.

    Two cameras, states and control ticks at 100 Hz; reading, rebuilding, asking and comparing included.
    The target holds for the first size.
    """
    module = "lbm_policy_node.bench.bench_replay_run"
    try:
        found = measure_with_one_thread(module, seconds, repeats, timeout_s=900.0)
    except RuntimeError as error:
        raise click.ClickException(f"the measurement failed: {error}") from error
    for result in found["results"]:
        figures = f"median {result['speed_median']:.1f}, slowest {result['speed_min']:.1f} times real time"
        click.echo(
            f"two cameras {result['size']}, {result['seconds']:g} s, {result['chunks']} chunks: {figures}"
        )
    met = found["results"][0]["speed_median"] >= TARGET
    word = click.style("met", fg="green") if met else click.style("missed", fg="red")
    click.echo(f"target >= {TARGET:g} times real time: {word}; load average {found['load_average']:.1f}")
    if json_path:
        json_path.write_text(json.dumps(found) + "\n", encoding="utf-8")
