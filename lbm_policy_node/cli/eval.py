# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm eval: success per task in closed loop."""

from __future__ import annotations

import json
from pathlib import Path

import click
from tqdm import tqdm

from lbm_policy_node.cli.options import several
from lbm_policy_node.sim.tasks import TASKS


@click.command(name="eval")
@click.argument(
    "checkpoints", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@several("--task", "tasks", TASKS, "Repeat for several; default all ten.")
@click.option("--episodes", default=50, show_default=True, help="Per task.")
@click.option(
    "--opposites",
    default=25,
    show_default=True,
    help="Half-open scenes per instruction of the opposite-instruction test.",
)
@click.option("--seed", default=0, show_default=True, help="First scene.")
@click.option(
    "--max-steps", default=125, show_default=True, help="Policy steps of 50 ms until an episode has failed."
)
@click.option(
    "--replan-steps", default=None, type=int, help="Steps between inferences; default: the checkpoint's."
)
@click.option(
    "--latency-steps", default=0, show_default=True, help="Steps between an observation and its chunk."
)
@click.option(
    "--merge",
    default="receding_horizon",
    show_default=True,
    type=click.Choice(["receding_horizon", "temporal_ensembling", "linear_blend"]),
)
@click.option("--processes", default=2, show_default=True)
@click.option("--out", default=Path("outputs/eval"), show_default=True, type=click.Path(path_type=Path))
def command(
    checkpoints: tuple[Path, ...],
    tasks: tuple[str, ...],
    episodes: int,
    opposites: int,
    seed: int,
    max_steps: int,
    replan_steps: int | None,
    latency_steps: int,
    merge: str,
    processes: int,
    out: Path,
) -> None:
    """Run CHECKPOINTS in the simulator and report success with a 95 % posterior interval.

    Writes OUT/<name>.json and OUT/<name>.png for each. Several checkpoints of a run can be compared this
    way; that, not the loss, is how one is chosen.
    """
    from lbm_policy_node.policies.load import load_policy
    from lbm_policy_node.sim.evaluation import EvaluationConfig, evaluate, summarise, trials
    from lbm_policy_node.sim.report import plot, table
    from lbm_policy_node.sim.rollout import RolloutConfig

    out.mkdir(parents=True, exist_ok=True)
    rollout = RolloutConfig(
        max_steps=max_steps, replan_steps=replan_steps, latency_steps=latency_steps, merge=merge
    )
    for checkpoint in checkpoints:
        config = EvaluationConfig(
            checkpoint=str(checkpoint),
            tasks=tasks or tuple(TASKS),
            episodes=episodes,
            opposites=opposites,
            seed=seed,
            rollout=rollout,
        )
        outcomes = []
        with tqdm(total=len(trials(config)), desc=checkpoint.name, unit="ep") as bar:
            for block in evaluate(config, processes=processes):
                outcomes += block
                bar.update(len(block))
        summary = summarise(config, outcomes, load_policy(checkpoint).spec.checkpoint_id)
        (out / f"{checkpoint.name}.json").write_text(json.dumps(summary, indent=2) + "\n")
        plot(summary, out / f"{checkpoint.name}.png")
        click.echo(f"{checkpoint}\n{table(summary)}")
