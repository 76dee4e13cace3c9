# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm bench-pi0: memory and time of a random pi0 or pi0.5, from an empty disk to an action chunk."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from lbm_policy_node.bench import bench_pi0_run


@click.command(name="bench-pi0")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--kind", default="pi0", show_default=True, type=click.Choice(["pi0", "pi05"]))
@click.option("--size", default="full", show_default=True, type=click.Choice(["tiny", "small", "full"]))
@click.option("--dtype", default="bfloat16", show_default=True, type=click.Choice(["bfloat16", "float32"]))
@click.option("--samples", default=1, show_default=True, help="Chunks per inference.")
@click.option("--repeat", default=1, show_default=True, help="Inferences.")
@click.option("--device", default="cpu", show_default=True, help="torch device.")
@click.option("--threads", default=0, show_default=True, help="CPU threads; 0 leaves torch's setting.")
@click.option(
    "--min-free-gib", default=14.0, show_default=True, help="Refuse to start with less free memory."
)
@click.option("--keep", is_flag=True, help="Keep the checkpoint (8 GB in full size).")
@click.option("--measure", is_flag=True, hidden=True)
def command(folder: Path, keep: bool, measure: bool, min_free_gib: float, **options: Any) -> None:
    """Write a random checkpoint into FOLDER, load it in a new process, infer, and delete it.

    The peak is that of the process that loads and infers (VmHWM), and on CUDA also torch's own.
    """
    if measure:
        click.echo(json.dumps(bench_pi0_run.measure(folder, options)))
        return
    free = bench_pi0_run.available_gib()
    if free < min_free_gib:
        raise click.ClickException(f"{free:.1f} GiB of memory are free, expected at least {min_free_gib:g}")
    if folder.exists() and not keep:
        raise click.ClickException(f"'{folder}' exists and would be deleted; name a new folder")
    try:
        bench_pi0_run.write(folder, options)
        flags = [f"--{name}={value}" for name, value in options.items()]
        call = [
            sys.executable,
            "-m",
            "lbm_policy_node.cli.main",
            "bench-pi0",
            str(folder),
            "--measure",
            *flags,
        ]
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"the measuring process ended with {done.returncode}")
        for name, value in json.loads(done.stdout).items():
            click.echo(f"{name:<28} {value}")
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
