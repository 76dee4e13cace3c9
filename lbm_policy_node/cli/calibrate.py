# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm calibrate: recorded successes into the thresholds of the runtime monitor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from lbm_policy_node.cli.options import dataclass_options, several, take
from lbm_policy_node.cli.score_option import ScoreName
from lbm_policy_node.monitors.calibration.calibration import FILE_NAME, Calibration
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig
from lbm_policy_node.monitors.calibration.thresholds import LEVELS, LevelThresholds
from lbm_policy_node.monitors.scores.registry import DEFAULT_SCORE, score_class, train_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.sim.tasks import TASKS

if TYPE_CHECKING:
    from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode


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
    from lbm_policy_node.assessment.protocol import SOLVED_TASKS
    from lbm_policy_node.core.episodes.chunk_episode import with_first_samples

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
            robot,
            config,
            source=f"{'simulated' if simulate else 'recorded'}: {', '.join(path.name for path in episodes)}",
            folder=file.parent,
        )
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    calibration.save(file)
    click.echo("\n".join(summary(calibration)))
    click.echo(f"written to {file}")


def read_episodes(paths: Sequence[Path]) -> Iterator[ChunkEpisode]:
    """Read files and folders of action chunks.

    Raises:
        EpisodeFileError: A file cannot be read, or a folder holds none.
    """
    from lbm_policy_node.data.episodes.chunk_episodes import read_episode, read_folder

    for path in paths:
        if path.is_dir():
            yield from read_folder(path)
        else:
            yield read_episode(path)


def calibrate_checkpoint(
    episodes: Iterable[ChunkEpisode],
    checkpoint: Path,
    robot: str,
    config: CalibrationConfig,
    *,
    source: str,
    folder: Path,
) -> Calibration:
    """Calibrate a checkpoint on a robot, from episodes of any origin.

    Args:
        episodes: Recorded or simulated.
        checkpoint: Folder of the policy: gives its id and the scale of its actions.
        robot: Robot spec, a file or a name in config/robots: says which columns are compared.
        config: What to calibrate.
        source: Where the episodes are from, in words.
        folder: Where the weights of a trained score lie.
    """
    from lbm_policy_node.core.spec.robot_spec import RobotSpec
    from lbm_policy_node.graph.bringup import robot_file
    from lbm_policy_node.monitors.calibration.fit import calibrate
    from lbm_policy_node.monitors.columns import ScoredColumns
    from lbm_policy_node.monitors.scale import ActionScale
    from lbm_policy_node.policies.action_statistics import read_action_std
    from lbm_policy_node.policies.load import load_policy

    columns = ScoredColumns.from_spec(RobotSpec.load(robot_file(robot)).action)
    return calibrate(
        episodes,
        config,
        columns=columns,
        scale=ActionScale.from_statistics(read_action_std(checkpoint), columns),
        checkpoint_id=load_policy(checkpoint).spec.checkpoint_id,
        source=source,
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        folder=folder,
    )


def summary(calibration: Calibration) -> Iterator[str]:
    """Say what was learned and what was left out, a line each."""
    layout, counts = calibration.layout, calibration.episodes
    yield (
        f"calibration {calibration.id} of checkpoint {calibration.checkpoint_id}: {counts.used} successes "
        f"until {counts.until}, K = {layout.n_samples}, horizon {layout.horizon}, "
        f"execution horizon {layout.execution_horizon}"
    )
    for name in LEVELS:
        yield from _level(name.upper(), calibration.levels[name], counts.used)
    if counts.failed:
        yield f"left out, {len(counts.failed)} failed: {', '.join(counts.failed)}"
    reasons: dict[str, list[str]] = {}
    for name, why in counts.unusable:
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield f"left out, {len(names)} unusable ({why}): {', '.join(names)}"


def _level(name: str, level: LevelThresholds, n: int) -> Iterator[str]:
    if not level.armed:
        yield (
            f"{name} (alpha {level.alpha:g}) is NOT ARMED: {n} successes, {level.episodes_needed} are "
            "needed; record more"
        )
        return
    for detector, entry in level.detectors.items():
        if not entry.armed:
            yield f"{name} (alpha {level.alpha:g}): {detector} is not armed, its share went to the others"
            continue
        low, high = entry.false_alarm_range
        yield (
            f"{name} (alpha {level.alpha:g}): {detector} above {entry.threshold:.4g}, number {entry.rank} of "
            f"{n}; at most {entry.alpha:.2%} false alarms on average, {low:.1%} to {high:.1%} for 90 % of "
            "calibrations"
        )
