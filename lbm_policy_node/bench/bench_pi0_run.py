# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A random pi0 or pi0.5, written, loaded and asked: the body of `lbm bench-pi0`."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any

import click

GIB = 2**30


def write(folder: Path, options: dict[str, Any]) -> None:
    """The checkpoint, unless a kept one is there already."""
    from lbm_policy_node.policies.checkpoint.files import WEIGHTS_FILE
    from lbm_policy_node.policies.pi0.initialization import SIZES
    from lbm_policy_node.policies.pi0.random_checkpoint import write_random_checkpoint

    if (folder / WEIGHTS_FILE).exists():
        return
    start = time.perf_counter()
    write_random_checkpoint(folder, SIZES[options["size"]], kind=options["kind"], dtype=options["dtype"])
    size = (folder / WEIGHTS_FILE).stat().st_size
    click.echo(f"{'checkpoint':<28} {size / 1e9:.2f} GB, written in {time.perf_counter() - start:.1f} s")


def measure(folder: Path, options: dict[str, Any]) -> dict[str, str]:
    """Load and infer in this process."""
    import numpy as np
    import torch

    from lbm_policy_node.core.types import Observation
    from lbm_policy_node.policies.load import load_policy

    if options["threads"]:
        torch.set_num_threads(options["threads"])
    before, start = peak_gib(), time.perf_counter()
    policy = load_policy(folder, device=options["device"])
    loaded, after_load = time.perf_counter() - start, peak_gib()
    spec, random = policy.spec, np.random.default_rng(0)
    images = {i.key: random.integers(0, 255, (i.height, i.width, 3), dtype=np.uint8) for i in spec.images}
    seen = Observation(0, images, np.zeros(spec.state_dim, np.float32), "pick up the cup")
    times = []
    for seed in range(options["repeat"]):
        start = time.perf_counter()
        chunk = policy.infer([seen], n_samples=options["samples"], seed=seed)
        times.append(time.perf_counter() - start)
    facts = policy.describe()
    rows = {
        "parameters": facts["parameters"],
        "computed in": f"{facts['computed in']} on {options['device']}, {torch.get_num_threads()} threads",
        "chunk": f"{chunk.shape}, finite: {bool(np.isfinite(chunk).all())}",
        "loading (with SHA-256)": f"{loaded:.1f} s",
        "inference, 10 steps": ", ".join(f"{value:.2f} s" for value in times),
        "peak memory before loading": f"{before:.2f} GiB",
        "peak memory after loading": f"{after_load:.2f} GiB",
        "peak memory in all": f"{peak_gib():.2f} GiB",
    }
    if options["device"].startswith("cuda"):
        rows["peak memory on the device"] = f"{torch.cuda.max_memory_allocated() / GIB:.2f} GiB"
    return rows


def peak_gib() -> float:
    """The most memory that this program held; ru_maxrss would begin with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / GIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def available_gib() -> float:
    """Memory that could be had now."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    line = next(line for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024 / GIB
