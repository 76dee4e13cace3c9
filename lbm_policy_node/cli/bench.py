# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench`: what our nodes add to bare rclpy, measured by turns in one run on this machine."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from lbm_policy_node.bench.bench_run import (
    BenchError,
    measure_latency,
    measure_takeover,
    measure_ticks,
)
from lbm_policy_node.bench.comparison import Comparison, TakeoverDelay, compare_all
from lbm_policy_node.graph.transport import CHOICES


@click.command()
@click.option("--frames", default=60, show_default=True, help="Observations per window of the latency.")
@click.option("--window", default=4.0, show_default=True, help="Seconds per window of the control tick.")
@click.option("--windows", default=5, show_default=True, help="Windows of each side, taken by turns.")
@click.option("--presses", default=300, show_default=True, help="Takeovers, about 0.7 s each; 0 for none.")
@click.option("--transport", type=click.Choice(CHOICES), default="large_data", show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all samples to this file.")
def command(
    frames: int, window: float, windows: int, presses: int, transport: str, json_path: Path | None
) -> None:
    """Measure latency and control-tick lateness against bare rclpy, and the delay of a takeover."""
    try:
        with tempfile.TemporaryDirectory() as name:
            folder, on = Path(name), {"transport_name": transport}
            latency = measure_latency(folder, frames=frames, windows=windows, **on)
            ticks = measure_ticks(folder, window_s=window, windows=windows, **on)
            pressed = measure_takeover(folder, presses=presses, **on) if presses else {}
        takeover = [TakeoverDelay.of(**pressed)] if pressed else []
        results = [*compare_all(latency["delays_ms"], ticks), *takeover]
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    for result in results:
        click.echo(str(result))
    answered = {side: f"{len(values)}/{latency['asked']}" for side, values in latency["delays_ms"].items()}
    click.echo(f"answered: policy {answered['policy']}, bare {answered['bare']}; transport {transport}")
    if json_path:
        content = {
            "comparisons": [asdict(result) for result in results if isinstance(result, Comparison)],
            "takeover": asdict(takeover[0]) if takeover else None,
            "latency": latency,
            "tick_errors_ms": ticks,
            "takeover_delays_ms": pressed.get("delays_ms", []),
        }
        json_path.write_text(json.dumps(content) + "\n", encoding="utf-8")
