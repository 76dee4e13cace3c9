# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of `lbm bench` beside those of bare rclpy, and their targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
import numpy as np

from lbm_policy_node.bench.bench_run import TICK_S, BenchError

LATENCY_TARGET, TICK_TARGET = 2.0, 1.5
TAKEOVER_TARGET_TICKS = {"median": 2.0, "p99": 5.0}


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


def compare_all(
    delays_ms: Mapping[str, Sequence[float]], ticks_ms: Mapping[str, Sequence[float]]
) -> list[Comparison]:
    """Compare what has a counterpart in bare rclpy."""
    return [
        compare(
            "observation stamp to chunk, two 640x480 cameras at 30 Hz",
            delays_ms["policy"],
            delays_ms["bare"],
            target=LATENCY_TARGET,
            quantile="median",
        ),
        compare(
            "lateness of the control tick at 100 Hz",
            ticks_ms["executor"],
            ticks_ms["bare"],
            target=TICK_TARGET,
            quantile="p99",
        ),
    ]


@dataclass(frozen=True)
class TakeoverDelay:
    """Time from a joystick's press to the operator's first command."""

    delay: Summary
    median_ticks: float
    p99_ticks: float
    pauses: int
    met: bool

    @classmethod
    def of(cls, delays_ms: Sequence[float], pauses: int = 0) -> "TakeoverDelay":
        """Compare with the targets, in control ticks at 100 Hz.

        Raises:
            BenchError: There is nothing to compare.
        """
        delay = Summary.of(delays_ms)
        median, p99 = delay.median_ms * 1e-3 / TICK_S, delay.p99_ms * 1e-3 / TICK_S
        met = median <= TAKEOVER_TARGET_TICKS["median"] and p99 <= TAKEOVER_TARGET_TICKS["p99"]
        return cls(delay, median, p99, pauses, met)

    def __str__(self) -> str:
        verdict = click.style("met", fg="green") if self.met else click.style("missed", fg="red")
        ticks = (
            f"median {self.median_ticks:.2f}, p99 {self.p99_ticks:.2f} control ticks, {self.pauses} pauses"
        )
        target = ", ".join(f"{limit:g} at {name}" for name, limit in TAKEOVER_TARGET_TICKS.items())
        title = "joystick's press to the operator's first command, at 100 Hz"
        return f"{title}\n  {self.delay}\n  {ticks}; target {target}: {verdict}"
