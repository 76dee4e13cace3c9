# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm eval: success per task in closed loop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from lbm_policy_node.cli.options import dataclass_options, several, take
from lbm_policy_node.sim.evaluation import EvaluationConfig
from lbm_policy_node.sim.rollout import RolloutConfig
from lbm_policy_node.sim.tasks import TASKS


@click.command(name="eval")
@click.argument(
    "checkpoints", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@several("--task", "tasks", TASKS, "Repeat for several; default all ten.")
@dataclass_options(EvaluationConfig)
@dataclass_options(RolloutConfig, only=("max_steps", "replan_steps", "latency_steps", "merge"))
@click.option("--processes", default=2, show_default=True)
@click.option("--out", default=Path("outputs/eval"), show_default=True, type=click.Path(path_type=Path))
def command(
    checkpoints: tuple[Path, ...],
    tasks: tuple[str, ...],
    processes: int,
    out: Path,
    **values: Any,
) -> None:
    """Run CHECKPOINTS in the simulator and report success with a 95 % posterior interval.

    Writes OUT/<name>.json and OUT/<name>.png for each. Several checkpoints of a run can be compared this
    way; that, not the loss, is how one is chosen.
    """
    from lbm_policy_node.policies.load import load_policy
    from lbm_policy_node.sim.evaluation import evaluate, summarise, trials
    from lbm_policy_node.sim.report import plot, table

    out.mkdir(parents=True, exist_ok=True)
    more = {"tasks": tasks or tuple(TASKS), "rollout": take(RolloutConfig, values)}
    shared = take(EvaluationConfig, values, checkpoint="", **more)
    for checkpoint in checkpoints:
        config = replace(shared, checkpoint=str(checkpoint))
        outcomes = []
        with tqdm(total=len(trials(config)), desc=checkpoint.name, unit="ep") as bar:
            for block in evaluate(config, processes=processes):
                outcomes += block
                bar.update(len(block))
        summary = summarise(config, outcomes, load_policy(checkpoint).spec.checkpoint_id)
        (out / f"{checkpoint.name}.json").write_text(json.dumps(summary, indent=2) + "\n")
        plot(summary, out / f"{checkpoint.name}.png")
        click.echo(f"{checkpoint}\n{table(summary)}")
