# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm demo`: simulated robot, executor and policy over ROS 2, driven through ten instructions."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lbm_policy_node.cli.options import dataclass_options
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.demo.demo_plan import DemoPlan, Episode, solved_tasks
from lbm_policy_node.demo.demo_run import DemoError, DemoOutcome, run_plan
from lbm_policy_node.graph.bringup import Graph, GraphConfig, describe
from lbm_policy_node.graph.monitor_choice import AUTO
from lbm_policy_node.paths import shared_path
from lbm_policy_node.sim.tasks import TASKS, task_named

TRAINED, WEIGHTLESS = "checkpoints/mt10", "checkpoints/weightless"
RESCUE = Episode(
    task="drawer-open",
    seed=0,
    options_json='{"perturbation": "camera_noise", "perturbation_after_s": 0.2}',
    rescue=True,
    time_limit_s=60.0,
)
"""The cameras turn noisy after the start: the monitor stops the policy, and the operator opens the drawer."""


class Progress:
    """Shows where the demo is: a live line on a terminal, a line per episode elsewhere."""

    def __init__(self, n_episodes: int) -> None:
        self._n_episodes, self._number, self._instruction = n_episodes, 0, ""
        self._live = sys.stderr.isatty()

    def __call__(self, event: dict[str, Any]) -> None:
        """Take an event of the operator."""
        show = getattr(self, f"_on_{event['event']}", None)
        if show is not None:
            show(event)

    def _on_ready(self, event: dict[str, Any]) -> None:
        click.echo(f"graph is up; checkpoint {event['checkpoint']}", err=True)

    def _on_episode_begins(self, event: dict[str, Any]) -> None:
        self._number, self._instruction = event["number"] + 1, event["task"]
        self._line("laying out the scene")

    def _on_episode_started(self, event: dict[str, Any]) -> None:
        self._instruction = event["instruction"]
        self._line("0.0 s")

    def _on_progress(self, event: dict[str, Any]) -> None:
        self._line(f"{event['elapsed_s']:.1f} s, {event['chunks']} chunks  {event['reason']}")

    def _on_episode_done(self, event: dict[str, Any]) -> None:
        color = "green" if event["solved"] else "red"
        verdict = click.style(event["ending"], fg=color)
        click.echo(f"{self._head()}{verdict}, {event['seconds']:.1f} s, {event['chunks']} chunks", err=True)

    def _head(self) -> str:
        back = "\r\x1b[K" if self._live else ""
        return f"{back}[{self._number}/{self._n_episodes}] {self._instruction}: "

    def _line(self, text: str) -> None:
        if self._live:
            click.echo(self._head() + text, nl=False, err=True)


def choose_checkpoint(given: str | None) -> str:
    """Return the checkpoint's folder; say so when there is only the policy without weights."""
    if given:
        return given
    try:
        return str(shared_path(TRAINED))
    except FileNotFoundError:
        click.secho(
            f"{TRAINED} is not here: using the policy without weights, which holds still and solves nothing",
            fg="yellow",
            err=True,
        )
        return str(shared_path(WEIGHTLESS))


def make_plan(
    tasks: str,
    seed: int,
    episodes: int,
    timeout: float,
    factor: float,
    output: Path,
    *,
    rescue: bool = False,
) -> DemoPlan:
    """Return the plan for comma-separated task names; every task gets the same seeds. The rescue comes last.

    Raises:
        ValueError: An unknown task.
    """
    names = [task_named(name.strip()).name for name in tasks.split(",")] if tasks else list(TASKS)
    planned = [Episode(task=name, seed=seed + i) for name in names for i in range(episodes)]
    return DemoPlan(
        episodes=(*planned, RESCUE) if rescue else tuple(planned),
        time_limit_s=timeout,
        wall_limit_s=60.0 + 10.0 * timeout / factor,
        output=str(output),
        record=True,
    )


def fresh_folder(folder: Path) -> Path:
    """Return the folder, absolute; what an earlier demo recorded there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder.resolve()


def finish(outcome: DemoOutcome, graph: Graph, output: Path, required: int) -> int:
    """Write table, pictures, dataset and results; return the exit code."""
    # matplotlib and pyarrow cost a second that the start does not pay
    from lbm_policy_node.demo import demo_episodes, demo_report

    results = outcome.results
    n_tasks = len({result.task for result in results if not result.rescue})
    n_solved = solved_tasks(results)
    demo_report.write_json(
        output / "results.json",
        results,
        tasks_solved=n_solved,
        first_motion_s=outcome.first_motion_s,
        transport=graph.transport.name,
    )
    demo_report.write_contact_sheet(output / "contact_sheet.png", results, output)
    demo_report.write_path_plot(output / "paths.png", results, output)
    exported = demo_episodes.export_episodes(results, output)
    timeline = demo_episodes.draw_rescue(results, output)
    click.echo(demo_report.table(results))
    first = outcome.first_motion_s
    moved = "nothing moved" if first is None else f"first motion {first:.1f} s after the start"
    click.echo(f"{n_solved} of {n_tasks} tasks solved; {moved}; pictures in {output}/")
    click.echo(exported)
    if timeline is not None:
        click.echo(f"timeline of the episode that the operator rescued: {timeline}")
    if n_solved < required:
        click.secho(f"fewer than the required {required}", fg="red", err=True)
        return 1
    return 0


@click.command()
@click.option(
    "--checkpoint",
    help=f"Folder of the policy, or ws://host:port of a server. Default: {TRAINED}, else {WEIGHTLESS}.",
)
@click.option("--robot", default="metaworld", show_default=True, help="Robot spec of the simulated robot.")
@click.option("--tasks", default="", help="Comma-separated task names. Default: all ten.")
@click.option("--seed", default=0, show_default=True, help="Scene of the first episode of each task.")
@click.option("--episodes", default=1, show_default=True, help="Episodes per task, with successive seeds.")
@click.option(
    "--real-time-factor",
    default=0.5,
    show_default=True,
    help="Simulated seconds per second; 1 needs a GPU or more than two cores.",
)
@click.option("--timeout", default=8.0, show_default=True, help="Simulated seconds per instruction.")
@click.option("--require", default=0, show_default=True, help="Exit with 1 when fewer tasks are solved.")
@dataclass_options(GraphConfig, only=("device", "monitor"))
@click.option(
    "--rescue/--no-rescue",
    default=True,
    show_default=True,
    help="End with an episode that is disturbed, stopped by the monitor, and solved by a scripted operator.",
)
@click.option("--output", default="outputs/demo", show_default=True, type=click.Path(path_type=Path))
def command(
    checkpoint: str | None,
    robot: str,
    tasks: str,
    seed: int,
    episodes: int,
    real_time_factor: float,
    timeout: float,
    require: int,
    device: str | None,
    monitor: str | None,
    rescue: bool,
    output: Path,
) -> None:
    """Run the simulated robot, a policy and the executor through ten instructions, and be rescued once.

    Every episode is recorded below OUTPUT/episodes and exported to the dataset OUTPUT/dataset.
    """
    output.mkdir(parents=True, exist_ok=True)
    try:
        config = GraphConfig(
            robot=robot,
            checkpoint=choose_checkpoint(checkpoint),
            sim=True,
            enable_control=True,
            device=device,
            real_time_factor=real_time_factor,
            monitor=monitor or AUTO,
            record=True,
            episodes=str(fresh_folder(output / "episodes")),
            teleop="scripted",
            settings={"scripted_teleop_node": {"on_monitor_stop": False}},
        )
        graph = describe(config)
        if rescue and "monitor_node" not in [process.name for process in graph.processes]:
            rescue = False
            click.secho(
                "no rescue: without a monitor nothing asks the operator to take over", fg="yellow", err=True
            )
        plan = make_plan(tasks, seed, episodes, timeout, real_time_factor, output, rescue=rescue)
        graph = describe(replace(config, task=plan.episodes[0].task))
        for message in graph.messages:
            click.secho(message, fg="yellow", err=True)
        outcome = run_plan(plan, graph, Progress(len(plan.episodes)))
    except (DemoError, SpecError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(finish(outcome, graph, output, require))
