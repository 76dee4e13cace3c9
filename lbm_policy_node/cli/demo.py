# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm demo`: simulated robot, executor and policy over ROS 2, driven through ten instructions."""

from dataclasses import replace
from pathlib import Path

import click

from lbm_policy_node.cli.options import dataclass_options
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.demo.demo_finish import finish
from lbm_policy_node.demo.demo_progress import Progress
from lbm_policy_node.demo.demo_run import DemoError, run_plan
from lbm_policy_node.demo.demo_setup import (
    NODE_SETTINGS,
    TRAINED,
    WEIGHTLESS,
    choose_checkpoint,
    fresh_folder,
    make_plan,
)
from lbm_policy_node.graph.bringup import GraphConfig, describe
from lbm_policy_node.graph.monitor_choice import AUTO


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
            settings=NODE_SETTINGS,
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
