# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-export`: how fast recorded episodes become a dataset, against the time they took to record."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from tqdm import tqdm

from lbm_policy_node.data.datasets.export import ExportError, ExportSettings
from lbm_policy_node.data.datasets.export_run import ExportRun, Status, find_episodes

TARGET = 5.0


@dataclass(frozen=True, kw_only=True)
class ExportRate:
    """One export of all episodes.

    Attributes:
        recorded_s: Length of the recordings.
        wall_s, cpu_s: What exporting them took, the latter over all threads.
        load: Load average of the last minute, at the end; more than the cores means that others were at work.
    """

    recorded_s: float
    wall_s: float
    cpu_s: float
    load: float

    @property
    def times_real_time(self) -> float:
        """Seconds of recording per second of exporting."""
        return self.recorded_s / self.wall_s

    def __str__(self) -> str:
        took = f"{self.recorded_s:.1f} s recorded, {self.wall_s:.2f} s, CPU {self.cpu_s:.2f} s"
        return f"{self.times_real_time:5.1f} x real time  ({took}, load {self.load:.1f})"


def measure(paths: list[Path]) -> ExportRate:
    """Export episodes into a folder that is deleted afterwards.

    Raises:
        ExportError: An episode could not be exported.
    """
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.monotonic(), time.process_time()
        run = ExportRun(Path(folder) / "set", ExportSettings(instruction="bench"), on_time=lambda _: None)
        reports = list(run.export(paths))
        run.close()
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    for report in reports:
        if report.status is not Status.EXPORTED:
            raise ExportError(f"'{report.path}' was {report.status.value}: {'; '.join(report.messages)}")
    recorded_s = sum(report.recorded_s for report in reports)
    return ExportRate(recorded_s=recorded_s, wall_s=wall, cpu_s=cpu, load=os.getloadavg()[0])


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
