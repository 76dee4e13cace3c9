# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm calibrate: recorded successes into the thresholds of the runtime monitor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from lbm_policy_node.cli.options import dataclass_options, several, take
from lbm_policy_node.cli.score_option import ScoreName
from lbm_policy_node.monitors.calibration.calibration import FILE_NAME
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig
from lbm_policy_node.monitors.calibration.report import summary
from lbm_policy_node.monitors.scores.registry import DEFAULT_SCORE, score_class, train_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.sim.tasks import TASKS


@click.command(name="calibrate")
@click.argument("episodes", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the policy that the episodes were recorded with.",
)
@click.option(
    "--robot",
    default="metaworld",
    show_default=True,
    help="Robot spec: a file, or a name in config/robots; it says which action columns are compared.",
)
@click.option("--score", default=DEFAULT_SCORE, show_default=True, type=ScoreName())
@dataclass_options(CalibrationConfig)
@click.option(
    "--samples",
    default=None,
    type=click.IntRange(min=1),
    help="Use only the first so many samples of a chunk.",
)
@click.option(
    "--train-on",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Episodes to train the score on, if that is trained; none of EPISODES. Repeat for several.",
)
@click.option(
    "--simulate",
    default=0,
    help="Run so many episodes per task in the simulator instead of reading EPISODES.",
)
@several("--task", "tasks", TASKS, "With --simulate: repeat for several; default: six that mt10 solves.")
@click.option(
    "--latency-steps",
    default=0,
    show_default=True,
    help="With --simulate: chunks arrive 0 to so many policy steps late, as on the robot.",
)
@click.option(
    "--work",
    default=Path("outputs/calibrate"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="With --simulate: where the episodes go; those that are there are not run again.",
)
@click.option("--processes", default=2, show_default=True, help="With --simulate.")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Default: CHECKPOINT/monitor.json")
def command(
    episodes: tuple[Path, ...],
    checkpoint: Path,
    robot: str,
    score: str,
    samples: int | None,
    train_on: tuple[Path, ...],
    simulate: int,
    tasks: tuple[str, ...],
    latency_steps: int,
    work: Path,
    processes: int,
    out: Path | None,
    **choices: Any,
) -> None:
    """Learn from EPISODES what is usual for a policy, and from where on the monitor warns and stops.

    EPISODES are files of action chunks (*.chunks.npz) or folders of them. Only successes calibrate; failed
    and unusable episodes are counted and named. WARN at 0.10 needs 9 successes, STOP at 0.02 needs 49.
    Thresholds hold for the way the policy was asked: as many samples (--samples), as late chunks.
    """
    from lbm_policy_node.assessment.calibration_runs import CalibrationRuns, run_episodes, trials_of
    from lbm_policy_node.assessment.checkpoint_calibration import calibrate_checkpoint
    from lbm_policy_node.assessment.protocol import SOLVED_TASKS
    from lbm_policy_node.core.episodes.chunk_episode import with_first_samples
    from lbm_policy_node.core.spec.robot_spec import RobotSpec
    from lbm_policy_node.data.episodes.chunk_episodes import read_episodes
    from lbm_policy_node.graph.bringup import robot_file

    config = take(CalibrationConfig, choices, score=ScoreConfig(score))
    if bool(episodes) == bool(simulate):
        raise click.UsageError("give either EPISODES or --simulate N")
    file = out or checkpoint / FILE_NAME
    try:
        if simulate:
            runs = CalibrationRuns(
                checkpoint=str(checkpoint),
                episodes=simulate,
                tasks=tasks or SOLVED_TASKS,
                samples=samples or 1,
                latency_steps=latency_steps,
                train=bool(score_class(score).trainer),
            )
            with tqdm(total=len(trials_of(runs)), desc="episodes", unit="ep") as bar:
                episodes, train_on = run_episodes(runs, work, processes, bar.update)
        if train_on:
            click.echo(train_score(score, read_episodes(train_on), file.parent))
        read = read_episodes(episodes)
        calibration = calibrate_checkpoint(
            (with_first_samples(e, samples) for e in read) if samples else read,
            checkpoint,
            RobotSpec.load(robot_file(robot)).action,
            config,
            source=f"{'simulated' if simulate else 'recorded'}: {', '.join(path.name for path in episodes)}",
            folder=file.parent,
        )
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    calibration.save(file)
    click.echo("\n".join(summary(calibration)))
    click.echo(f"written to {file}")
