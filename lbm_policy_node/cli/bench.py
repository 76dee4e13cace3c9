# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench`: what our nodes add to bare rclpy, measured by turns in one run on this machine."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

from lbm_policy_node.cli.bench_run import BenchError, measure_latency, measure_ticks
from lbm_policy_node.transport import CHOICES

LATENCY_TARGET, TICK_TARGET = 2.0, 1.5


@dataclass(frozen=True)
class Summary:
    """A distribution in ms."""

    n: int
    median_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> "Summary":
        """Summarise.

        Raises:
            BenchError: There is nothing to summarise.
        """
        if not values_ms:
            raise BenchError("nothing was measured")
        values = np.asarray(values_ms)
        return cls(
            len(values), float(np.median(values)), float(np.quantile(values, 0.99)), float(values.max())
        )

    def __str__(self) -> str:
        return (
            f"median {self.median_ms:7.3f}  p99 {self.p99_ms:7.3f}  max {self.max_ms:7.3f} ms  (n {self.n})"
        )


@dataclass(frozen=True)
class Comparison:
    """Ours against bare rclpy."""

    name: str
    ours: Summary
    bare: Summary
    ratio_median: float
    ratio_p99: float
    target: str
    met: bool

    def __str__(self) -> str:
        verdict = click.style("met", fg="green") if self.met else click.style("missed", fg="red")
        ratios = f"ratio median {self.ratio_median:.2f}, p99 {self.ratio_p99:.2f}"
        return "\n  ".join(
            [
                self.name,
                f"ours  {self.ours}",
                f"bare  {self.bare}",
                f"{ratios}; target {self.target}: {verdict}",
            ]
        )


def compare(
    name: str, ours_ms: Sequence[float], bare_ms: Sequence[float], *, target: float, quantile: str
) -> Comparison:
    """Compare two distributions; the target holds for the ratio of their "median" or "p99"."""
    ours, bare = Summary.of(ours_ms), Summary.of(bare_ms)
    ratios = {"median": ours.median_ms / bare.median_ms, "p99": ours.p99_ms / bare.p99_ms}
    met = ratios[quantile] <= target
    return Comparison(name, ours, bare, ratios["median"], ratios["p99"], f"<= {target:g} at {quantile}", met)


@click.command()
@click.option("--frames", default=60, show_default=True, help="Observations per window of the latency.")
@click.option("--window", default=4.0, show_default=True, help="Seconds per window of the control tick.")
@click.option("--windows", default=5, show_default=True, help="Windows of each side, taken by turns.")
@click.option("--transport", type=click.Choice(CHOICES), default="large_data", show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all samples to this file.")
def command(frames: int, window: float, windows: int, transport: str, json_path: Path | None) -> None:
    """Measure latency and control-tick lateness against bare rclpy."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            latency = measure_latency(Path(folder), frames=frames, windows=windows, transport_name=transport)
            ticks = measure_ticks(Path(folder), window_s=window, windows=windows, transport_name=transport)
        delays = latency["delays_ms"]
        comparisons = [
            compare(
                "observation stamp to chunk, two 640x480 cameras at 30 Hz",
                delays["policy"],
                delays["bare"],
                target=LATENCY_TARGET,
                quantile="median",
            ),
            compare(
                "lateness of the control tick at 100 Hz",
                ticks["executor"],
                ticks["bare"],
                target=TICK_TARGET,
                quantile="p99",
            ),
        ]
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    for comparison in comparisons:
        click.echo(str(comparison))
    answered = {side: f"{len(values)}/{latency['asked']}" for side, values in delays.items()}
    click.echo(f"answered: policy {answered['policy']}, bare {answered['bare']}; transport {transport}")
    if json_path:
        content = {
            "comparisons": [asdict(c) for c in comparisons],
            "latency": latency,
            "tick_errors_ms": ticks,
        }
        json_path.write_text(json.dumps(content) + "\n", encoding="utf-8")
