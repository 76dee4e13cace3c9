# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm train: a LeRobotDataset v3 into a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lbm_policy_node.cli.options import dataclass_options, take
from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig


@click.command(name="train")
@click.argument("dataset", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the run; given again, it resumes.",
)
@click.option("--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu"]))
@click.option(
    "--threads", default=0, show_default=True, help="torch threads per process; 0 lets torch choose."
)
@click.option("--stop-after", default=None, type=int, help="Leave the run after this step, to be resumed.")
@dataclass_options(PolicyChoice)
@dataclass_options(TrainConfig)
@dataclass_options(ModelSize)
def command(
    dataset: Path, out: Path, device: str, threads: int, stop_after: int | None, **flags: Any
) -> None:
    """Train a policy on DATASET, a LeRobotDataset v3: a new one, or with --init a pi0 checkpoint.

    Several GPUs or machines: accelerate launch -m lbm_policy_node.cli.main train ...; several processes on
    a CPU: torchrun --standalone --nproc-per-node N -m lbm_policy_node.cli.main train ... --device cpu

    No checkpoint is chosen by its loss; compare them in closed loop with `lbm eval`.
    """
    config, size, choice = take(TrainConfig, flags), take(ModelSize, flags), take(PolicyChoice, flags)
    import torch

    from lbm_policy_node.core.plugins import PluginError
    from lbm_policy_node.data.datasets.dataset_reader import DatasetError, read_dataset
    from lbm_policy_node.policies.checkpoint.errors import CheckpointError
    from lbm_policy_node.training.loop import train
    from lbm_policy_node.training.resume import ResumeError

    if threads:
        torch.set_num_threads(threads)
    options = {"choice": choice, "device": device, "stop_after": stop_after}
    try:
        folder = train(read_dataset(dataset), out, config, size, **options)
    except (DatasetError, ResumeError, CheckpointError, PluginError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"checkpoint: {folder}")
