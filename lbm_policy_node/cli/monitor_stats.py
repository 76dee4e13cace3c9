# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm monitor-stats`: how well recorded scores separate failures from successes, beside elapsed time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lbm_policy_node.assessment.recorded_scores.score_summary import SummaryConfig
from lbm_policy_node.cli.options import dataclass_options, take

if TYPE_CHECKING:
    from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode


@click.command(name="monitor-stats")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--alpha",
    "alphas",
    multiple=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=(0.05, 0.1),
    show_default=True,
    help="False-alarm probability per episode; may be given several times.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here.")
@click.option(
    "--plot", "plot_file", type=click.Path(path_type=Path), help="Write ROC curves and traces here."
)
@dataclass_options(SummaryConfig)
def command(
    files: tuple[Path, ...],
    alphas: tuple[float, ...],
    json_file: Path | None,
    plot_file: Path | None,
    **values: Any,
) -> None:
    """Compare running statistics of recorded scores with elapsed time.

    Each of FILES is a CSV file of one task: episode_id, success, replan (or step), and one or more scores.
    """
    from lbm_policy_node.assessment.recorded_scores.score_files import ScoreFileError
    from lbm_policy_node.assessment.recorded_scores.score_summary import summarise
    from lbm_policy_node.assessment.recorded_scores.score_table import table

    config = take(SummaryConfig, values)
    try:
        columns = _read(files)
    except ScoreFileError as error:
        raise click.ClickException(str(error)) from error
    summaries: dict[str, Any] = {}
    for column, episodes in columns.items():
        try:
            summaries[column] = summarise(episodes, sorted(set(alphas)), config)
        except ValueError as error:
            raise click.ClickException(f"score {column!r}: {error}") from error
        click.echo(f"score {column}\n\n{table(summaries[column])}\n")
    _write(summaries, columns, files, config, json_file, plot_file)


def _read(files: tuple[Path, ...]) -> dict[str, list[ScoredEpisode]]:
    """Join the files: per score column the episodes of all tasks."""
    from lbm_policy_node.assessment.recorded_scores.score_files import ScoreFileError, read_scores

    columns: dict[str, list[ScoredEpisode]] = {}
    tasks: dict[str, Path] = {}
    for path in files:
        if path.stem in tasks:
            raise ScoreFileError(f"{path} and {tasks[path.stem]} have one name, and the name is the task")
        tasks[path.stem] = path
        read = read_scores(path)
        if columns and set(read) != set(columns):
            raise ScoreFileError(f"{path} has the scores {sorted(read)}, {files[0]} has {sorted(columns)}")
        for column, episodes in read.items():
            columns.setdefault(column, []).extend(episodes)
    return columns


def _write(
    summaries: dict[str, Any],
    columns: dict[str, list[ScoredEpisode]],
    files: tuple[Path, ...],
    config: SummaryConfig,
    json_file: Path | None,
    plot_file: Path | None,
) -> None:
    import json
    from dataclasses import asdict

    if json_file is not None:
        content = {"files": [path.name for path in files], "config": asdict(config), "scores": summaries}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        click.echo(f"wrote {json_file}")
    if plot_file is not None:
        from lbm_policy_node.assessment.recorded_scores.score_plot import plot

        plot_file.parent.mkdir(parents=True, exist_ok=True)
        plot(columns, plot_file)
        click.echo(f"wrote {plot_file}")
