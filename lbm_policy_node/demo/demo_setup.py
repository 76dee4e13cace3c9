# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What `lbm demo` runs: its checkpoint, its episodes and its rescue."""

import shutil
from pathlib import Path

import click

from lbm_policy_node.demo.demo_plan import DemoPlan, Episode
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
NODE_SETTINGS = {"scripted_teleop_node": {"on_monitor_stop": False}, "policy_node": {"success_topic": ""}}
"""The demo asks the scripted operator by itself, and reports the outcome after the operator has driven."""


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
