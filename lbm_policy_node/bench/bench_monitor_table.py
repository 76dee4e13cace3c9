# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of `lbm bench-monitor` as text, and their target."""

from collections.abc import Mapping
from typing import Any

import click

TARGET_SCORE, TARGET_SAMPLES, TARGET_MS = "energy_ood", 32, 3.0


def table(result: Mapping[str, Any]) -> str:
    """Return a line per score: median and 99th percentile for each number of samples."""
    counts = list(result["ms"])
    head = f"{'ms per chunk':16}" + "".join(f"{f'K = {k}':>20}" for k in counts)
    second = f"{'':16}" + f"{'median':>12}{'p99':>8}" * len(counts)
    lines = [head, second]
    for name in result["ms"][counts[0]]:
        found = (result["ms"][k][name] for k in counts)
        lines.append(f"{name:16}" + "".join(f"{f['median']:12.3f}{f['p99']:8.3f}" for f in found))
    return "\n".join(lines)


def verdict(result: Mapping[str, Any]) -> str:
    """Say whether the score of the shipped calibration meets its target."""
    found = result["ms"][str(TARGET_SAMPLES)][TARGET_SCORE]["median"]
    met = click.style("met", fg="green") if found <= TARGET_MS else click.style("missed", fg="red")
    return f"{TARGET_SCORE}, K = {TARGET_SAMPLES}: median {found:.3f} ms; target <= {TARGET_MS:g} ms: {met}"
