# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm collect: scripted experts into a LeRobotDataset v3."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from lbm_policy_node.cli.options import dataclass_options, several, take
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.sim import collection
from lbm_policy_node.sim.cameras import CameraRig
from lbm_policy_node.sim.demonstrations import ACTION_NAMES, STATE_NAMES, STEP_S, DemonstrationConfig
from lbm_policy_node.sim.tasks import TASKS

IMAGE_PREFIX = "observation.images."


@click.command(name="collect")
@click.argument("out", type=click.Path(path_type=Path))
@several("--task", "tasks", TASKS, "Repeat for several; default all ten.")
@dataclass_options(collection.CollectionConfig)
@click.option("--size", default=128, show_default=True, help="Image height and width, pixels.")
@dataclass_options(DemonstrationConfig, only=("noise_m",), flags={"noise_m": "--noise"})
@click.option("--processes", default=2, show_default=True)
def command(
    out: Path,
    tasks: tuple[str, ...],
    size: int,
    processes: int,
    **values: Any,
) -> None:
    """Let the scripted experts demonstrate and write OUT as a LeRobotDataset v3.

    An interrupted collection goes on where it stopped when the same command is given again.
    """
    config = take(
        collection.CollectionConfig,
        values,
        tasks=tasks or tuple(TASKS),
        height=size,
        width=size,
        demonstration=take(DemonstrationConfig, values),
    )
    if out.exists() and any(out.iterdir()):
        raise click.ClickException(f"'{out}' exists and is not empty; choose another folder or delete it")
    staging = out.with_name(f"{out.name}.staging")
    planned = collection.assignments(config)
    done = sum(a.path(staging).exists() for a in planned)
    attempts = 0
    with tqdm(total=len(planned), initial=done, desc="demonstrations", unit="ep") as bar:
        for tries in collection.collect(config, staging, processes=processes):
            attempts += tries
            bar.update()
    _write(out, [a.path(staging) for a in planned], size)
    shutil.rmtree(staging)
    click.echo(f"{len(planned)} demonstrations in {out} ({attempts} attempts in this run)")


def _write(out: Path, paths: list[Path], size: int) -> None:
    features = Features(
        vectors={"observation.state": STATE_NAMES, "action": ACTION_NAMES},
        cameras={IMAGE_PREFIX + name: (size, size) for name in CameraRig.names},
    )
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with DatasetWriter(partial, features, fps=round(1 / STEP_S), robot_type="metaworld_sawyer") as writer:
        for demo in tqdm(collection.load(paths), total=len(paths), desc="writing dataset", unit="ep"):
            images = {IMAGE_PREFIX + name: frames for name, frames in demo.images.items()}
            writer.add_episode(
                {"observation.state": demo.state, "action": demo.action}, images, demo.instruction
            )
    partial.rename(out)
