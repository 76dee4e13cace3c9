# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm export: recorded episodes into a LeRobotDataset v3."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from lbm_policy_node.cli.options import dataclass_options, take
from lbm_policy_node.data.datasets.dataset_contents import DatasetError
from lbm_policy_node.data.datasets.export import ExportError, ExportSettings
from lbm_policy_node.data.datasets.export_run import (
    ONLY,
    EpisodeReport,
    ExportRun,
    Status,
    find_episodes,
    recorded_seconds,
)

_COLORS = {Status.EXPORTED: "green", Status.SKIPPED: "cyan", Status.REFUSED: "red"}


@click.command(name="export")
@click.argument(
    "episodes", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The dataset: new, or to be appended to."
)
@dataclass_options(ExportSettings, flags={"pre_intervention_s": "--pre-intervention"})
@click.option(
    "--only",
    default="all",
    show_default=True,
    type=click.Choice(list(ONLY)),
    help="Which outcomes; discarded episodes never.",
)
def command(episodes: tuple[Path, ...], out: Path, only: str, **values: Any) -> None:
    """Write EPISODES (recorded episodes, or folders of them) into a LeRobotDataset v3.

    An interrupted export goes on where it stopped when the same command is given again; episodes that are in
    the dataset already are passed over.
    """
    began = time.monotonic()
    try:
        settings = take(ExportSettings, values)
        paths = find_episodes(episodes)
        total_s = sum(recorded_seconds(path) for path in paths)
        with tqdm(total=total_s + 1e-6, unit="s", desc="export", bar_format=_BAR) as bar:
            run = ExportRun(out, settings, only=only, on_time=bar.update)
            reports = []
            for report in run.export(paths):
                reports.append(report)
                with bar.external_write_mode():
                    click.echo(_line(report))
            bar.set_description("writing the dataset")
            run.close()
    except (ExportError, DatasetError, FileExistsError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(_summary(reports, out, time.monotonic() - began))
    if any(report.status is Status.REFUSED for report in reports):
        raise SystemExit(1)


_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of recording [{elapsed}<{remaining}]"


def _line(report: EpisodeReport) -> str:
    status = click.style(report.status.value, fg=_COLORS[report.status])
    steps = f" {report.steps} steps" if report.steps else ""
    notes = f": {'; '.join(report.messages)}" if report.messages else ""
    return f"{report.path.name} {status}{steps}{notes}"


def _summary(reports: list[EpisodeReport], out: Path, took_s: float) -> str:
    counts = {status: sum(report.status is status for report in reports) for status in Status}
    done = [report for report in reports if report.status is Status.EXPORTED]
    recorded_s = sum(report.recorded_s for report in done)
    text = ", ".join(f"{count} {status.value}" for status, count in counts.items())
    speed = f" ({recorded_s / took_s:.1f} times real time)" if done else ""
    return f"{text}; {sum(report.steps for report in done)} new steps in {out}, {took_s:.1f} s{speed}"
