# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm monitor-eval: what the runtime monitor is worth, measured in simulation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from lbm_policy_node.assessment.protocol import ProtocolConfig
from lbm_policy_node.cli.options import dataclass_options, several, take
from lbm_policy_node.cli.score_option import ScoreName
from lbm_policy_node.sim.tasks import TASKS


@click.command(name="monitor-eval")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, file_okay=False))
@several("--task", "tasks", TASKS, "Repeat for several; default: six that the shipped checkpoint solves.")
@dataclass_options(ProtocolConfig)
@click.option("--score", default="energy_ood", show_default=True, type=ScoreName())
@click.option("--statistic", default="cusum", show_default=True, help="Running statistic of the score.")
@click.option("--use-samples", default=None, type=int, help="Use the first so many of them.")
@click.option("--max-overlap-steps", default=None, type=int, help="Compare at most so many rows.")
@click.option("--processes", default=2, show_default=True)
@click.option(
    "--out", default=Path("outputs/monitor_eval"), show_default=True, type=click.Path(path_type=Path)
)
def command(
    checkpoint: Path,
    tasks: tuple[str, ...],
    score: str,
    statistic: str,
    use_samples: int | None,
    max_overlap_steps: int | None,
    processes: int,
    out: Path,
    **values: Any,
) -> None:
    """Measure the monitor of CHECKPOINT in simulation.

    Runs episodes in distribution, with erratic disturbances, without progress, and with changes that must
    not alarm; calibrates every detector on the same stored samples; and writes OUT/report.txt, report.json
    and pictures. Episodes are kept in OUT/episodes: given again, the command goes on where it stopped.
    """
    from lbm_policy_node.assessment.plots import plot_all
    from lbm_policy_node.assessment.protocol import trials
    from lbm_policy_node.assessment.recording import RecordingConfig, record
    from lbm_policy_node.assessment.report import text
    from lbm_policy_node.assessment.run import assess
    from lbm_policy_node.assessment.summary import Choice

    config = take(ProtocolConfig, values)
    if tasks:
        config = replace(config, tasks=tasks)
    recording = RecordingConfig(
        checkpoint=str(checkpoint),
        max_steps=config.max_steps,
        n_samples=config.n_samples,
        replan_steps=config.replan_steps or None,
    )
    planned, folder = trials(config), out / "episodes"
    with tqdm(total=len(planned), desc="episodes", unit="ep") as bar:
        bar.update(sum(trial.path(folder).exists() for trial in planned))
        for finished in record(planned, recording, folder, processes=processes):
            bar.update(finished)
    with tqdm(total=len(planned), desc="scores", unit="ep") as bar:
        try:
            assessment = assess(
                planned,
                folder,
                checkpoint,
                Choice(score, statistic),
                out,
                n_samples=use_samples or config.n_samples,
                max_overlap_steps=max_overlap_steps,
                on_episode=bar.update,
            )
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    (out / "report.json").write_text(json.dumps(assessment.result, indent=1) + "\n")
    (out / "report.txt").write_text(text(assessment.result) + "\n")
    click.echo(text(assessment.result))
    for path in plot_all(assessment.episodes, assessment.monitor, assessment.stac, assessment.result, out):
        click.echo(f"wrote {path}")
