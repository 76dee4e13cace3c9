# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm replay`: a recorded episode fails a bad checkpoint before the robot does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lbm_policy_node.cli.node_options import graph_command, node_options
from lbm_policy_node.cli.options import dataclass_options, take
from lbm_policy_node.cli.replay_live import LIVE_ONLY, play, take_live
from lbm_policy_node.graph.nodes import NODE_CONFIGS, POLICY
from lbm_policy_node.graph.replay import NODES, ReplayConfig
from lbm_policy_node.replay.limits import Limits

if TYPE_CHECKING:
    from lbm_policy_node.replay.report import ReplayReport

ERROR = 2
"""Exit code of a bag or checkpoint that cannot be used; 1 is for a checkpoint beyond the limits."""


class ReplayRefused(click.ClickException):
    """Nothing could be compared."""

    exit_code = ERROR


@click.command(cls=graph_command(NODES))
@click.argument("episodes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder of the checkpoint under test.")
@dataclass_options(Limits, flags={"no_new_alarms": "--no-new-alarms"})
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all figures to this file.")
@click.option(
    "--plot", "plot_path", type=click.Path(path_type=Path), help="Write a picture per episode to this file."
)
@click.option("--robot", help="Robot spec: a file, or a name in config/robots. Default: the recorded one.")
@dataclass_options(NODE_CONFIGS[POLICY], only=("device", "threads", "tokenizer"))
@click.option(
    "--live", is_flag=True, help="Publish the episode's sensors into a graph in shadow mode instead."
)
@dataclass_options(ReplayConfig, only=LIVE_ONLY, prefix="With --live: ")
@node_options
def command(episodes: tuple[Path, ...], live: bool, **options: Any) -> None:
    """Ask a checkpoint again what it saw in EPISODES, and compare with what was recorded.

    Exit code 0: within the limits; 1: beyond them; 2: an episode or the checkpoint cannot be used.
    """
    live_options = take_live(options)
    if live:
        if len(episodes) != 1:
            raise click.UsageError("--live plays one episode")
        checkpoint = str(options["checkpoint"]) if options["checkpoint"] else None
        shared = {"robot": options["robot"], "device": options["device"], "checkpoint": checkpoint}
        raise SystemExit(play({**live_options, **shared, "episode": str(episodes[0])}))
    if options["checkpoint"] is None:
        raise click.UsageError("give the checkpoint under test: --checkpoint FOLDER")
    raise SystemExit(_replay(episodes, **options))


def _replay(
    episodes: tuple[Path, ...],
    *,
    checkpoint: Path,
    json_path: Path | None,
    plot_path: Path | None,
    robot: str | None,
    **options: Any,
) -> int:
    from lbm_policy_node.core.spec.spec_reader import SpecError
    from lbm_policy_node.graph.bringup import robot_file
    from lbm_policy_node.replay.candidate import Candidate
    from lbm_policy_node.replay.limits import judge

    policy = take(NODE_CONFIGS[POLICY], options)
    limits = take(Limits, options)
    try:
        candidate = Candidate.load(
            checkpoint, device=policy.device, tokenizer=policy.tokenizer or None, threads=policy.threads
        )
        spec = robot_file(robot) if robot else None
        reports = [_one(path, candidate, spec) for path in episodes]
    except (SpecError, ValueError, OSError, RuntimeError) as error:  # RuntimeError: no such device
        raise ReplayRefused(str(error)) from error
    _write(reports, limits, json_path, plot_path)
    return 0 if all(judge(report, limits).passed for report in reports) else 1


def _one(path: Path, candidate: Any, spec_path: Path | None) -> ReplayReport:
    """Replay one episode with a progress bar."""
    from tqdm import tqdm

    from lbm_policy_node.core.spec.robot_spec import RobotSpec
    from lbm_policy_node.replay.run import replay

    with tqdm(desc=path.name, unit="chunk", leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return replay(path, candidate, spec=RobotSpec.load(spec_path) if spec_path else None, on_chunk=show)


def _write(
    reports: list[ReplayReport], limits: Limits, json_path: Path | None, plot_path: Path | None
) -> None:
    from lbm_policy_node.replay.limits import judge, tolerance_of
    from lbm_policy_node.replay.table import table, verdict_text

    verdicts = [judge(report, limits) for report in reports]
    for report, verdict in zip(reports, verdicts, strict=True):
        click.echo(table(report))
        color = "green" if verdict.passed else "red"
        click.secho(verdict_text(report, verdict) + "\n", fg=color)
        if plot_path is not None:
            from lbm_policy_node.replay.plot import plot

            own = plot_path.with_name(f"{plot_path.stem}-{report.episode_id}{plot_path.suffix}")
            file = plot_path if len(reports) == 1 else own
            plot(report, file, tolerance=tolerance_of(report, limits))
            click.echo(f"wrote {file}")
    if json_path is not None:
        pairs = zip(reports, verdicts, strict=True)
        content = [
            {"passed": v.passed, "reasons": v.reasons, "notes": v.notes, **r.to_dict()} for r, v in pairs
        ]
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps({"episodes": content}, indent=1, allow_nan=False) + "\n")
        click.echo(f"wrote {json_path}")
