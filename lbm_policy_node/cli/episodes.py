# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm episodes: look at what was recorded, and mend it."""

from __future__ import annotations

from pathlib import Path

import click

from lbm_policy_node.data.bags.bags import BagError
from lbm_policy_node.data.bags.repair import repair
from lbm_policy_node.data.datasets.export import ExportError
from lbm_policy_node.data.datasets.export_run import find_episodes
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_summary import EpisodeSummary
from lbm_policy_node.data.episodes.episode_text import COLUMNS, story, summary_row

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_COLORS = {"success": "green", "failure": "red", "discarded": "yellow"}


@click.group(name="episodes")
def command() -> None:
    """Look at recorded episodes, and repair what a killed recorder left."""


@command.command(name="list")
@click.argument("folder", type=_FOLDER)
def list_command(folder: Path) -> None:
    """List the episodes in FOLDER.

    human: how often the operator drove, and for how long in all; alarms: of the monitor, WARN and STOP.
    """
    summaries = [EpisodeSummary.read(path) for path in _found((folder,))]
    rows = [COLUMNS, *(summary_row(summary) for summary in summaries)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        cells[3] = click.style(cells[3], fg=_COLORS.get(row[3]))
        click.echo("  ".join(cells).rstrip())
    for summary in summaries:
        if summary.trouble and not summary.repairable:
            click.echo(f"{summary.episode_id}: {summary.trouble}")
    if broken := [summary for summary in summaries if summary.repairable]:
        click.echo(f"{len(broken)} of {len(rows) - 1} need repair: lbm episodes repair '{folder}'")


@command.command(name="show")
@click.argument("episode", type=_FOLDER)
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the timeline: .png or .svg."
)
def show_command(episode: Path, plot: Path | None) -> None:
    """Show what happened in EPISODE."""
    try:
        recorded = read_episode(episode)
    except BagError as error:
        raise click.ClickException(str(error)) from error
    for line in story(recorded):
        click.echo(line)
    if plot:
        from lbm_policy_node.data.episodes.timeline import draw_timeline

        try:
            click.echo(f"timeline: {draw_timeline(recorded, plot)}")
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error


@command.command(name="repair")
@click.argument("episodes", nargs=-1, required=True, type=_FOLDER)
def repair_command(episodes: tuple[Path, ...]) -> None:
    """Make EPISODES (or folders of them) readable again; whole ones stay as they are."""
    failed = False
    for path in _found(episodes):
        try:
            click.echo(str(repair(path)))
        except (BagError, OSError) as error:
            failed = True
            click.echo(click.style(str(error), fg="red"), err=True)
    if failed:
        raise SystemExit(1)


def _found(places: tuple[Path, ...]) -> list[Path]:
    try:
        return find_episodes(places)
    except ExportError as error:
        raise click.ClickException(str(error)) from error
