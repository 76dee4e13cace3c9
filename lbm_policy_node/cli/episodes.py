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
from lbm_policy_node.data.episodes.episode import Episode, read_episode
from lbm_policy_node.data.episodes.episode_summary import EpisodeSummary

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_COLORS = {"success": "green", "failure": "red", "discarded": "yellow"}
_COLUMNS = ("episode", "robot", "duration", "outcome", "human", "alarms", "instruction")


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
    rows = [_COLUMNS, *(_row(summary) for summary in summaries)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        cells[3] = click.style(cells[3], fg=_COLORS.get(row[3]))
        click.echo("  ".join(cells).rstrip())
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
    for line in _story(recorded):
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


def _row(summary: EpisodeSummary) -> tuple[str, ...]:
    if summary.trouble:
        state = "needs repair" if summary.repairable else "unreadable"
        return (summary.episode_id, summary.robot, "", state, "", "", summary.instruction)
    human = f"{summary.human_turns} x, {summary.human_s:.1f} s" if summary.human_turns else "-"
    alarms = f"{summary.warnings} / {summary.stops}" if summary.warnings or summary.stops else "-"
    duration = f"{summary.duration_s:.1f} s"
    return (
        summary.episode_id,
        summary.robot,
        duration,
        summary.outcome,
        human,
        alarms,
        summary.instruction,
    )


def _story(episode: Episode) -> list[str]:
    header, summary = episode.header, EpisodeSummary.of(episode)
    lines = [
        f"{header.episode_id}: '{header.instruction}' on {header.robot}, begun {header.started_at}",
        f"duration {episode.duration_s:.2f} s, outcome {summary.outcome}",
        f"policy {header.checkpoint_id or 'none'}, {len(episode.chunks)} chunks"
        + (f", {len(episode.broken_chunks)} broken" if episode.broken_chunks else ""),
        f"monitor: {len(episode.verdicts)} verdicts, {summary.warnings} x WARN, {summary.stops} x STOP",
        f"human: {summary.human_turns} x, {summary.human_s:.2f} s in all",
    ]
    lines += [f"  {_at(episode, a)} to {_at(episode, b)}" for a, b in episode.human_intervals_ns]
    lines.append(f"messages: {sum(episode.counts.values())}, lost by the recorder: {episode.dropped}")
    lines += [f"  {count:6d} {topic}" for topic, count in sorted(episode.counts.items())]
    lines.append("events:")
    for event in episode.events:
        text = f" ({event.text})" if event.text else ""
        lines.append(f"  {_at(episode, event.stamp_ns)} {event.kind.name} by {event.source or '-'}{text}")
    return lines


def _at(episode: Episode, stamp_ns: int) -> str:
    return f"{(stamp_ns - episode.start_ns) * 1e-9:8.3f} s"
