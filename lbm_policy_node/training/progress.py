# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a training run shows: a progress bar, a log with one JSON object per line, and a loss plot."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
from tqdm import tqdm

matplotlib.use("Agg")
from matplotlib import pyplot as plt

LOG_FILE, PLOT_FILE = "log.jsonl", "loss.png"


class Progress:
    """Shows and stores the loss; silent on all but the first process."""

    def __init__(self, folder: Path, *, start: int, steps: int, every: int, active: bool) -> None:
        self._folder, self._every, self._active = folder, every, active
        self._bar = tqdm(total=steps, initial=start, unit="step", disable=not active, desc="training")
        self._sum, self._count = 0.0, 0

    def update(self, step: int, loss: float, learning_rate: float) -> None:
        """Count a finished step (from 1)."""
        self._bar.update()
        self._sum, self._count = self._sum + loss, self._count + 1
        if step % self._every:
            return
        mean, self._sum, self._count = self._sum / self._count, 0.0, 0
        self._bar.set_postfix(loss=f"{mean:.4f}", lr=f"{learning_rate:.1e}")
        if self._active:
            with (self._folder / LOG_FILE).open("a") as file:
                entry = {
                    "step": step,
                    "loss": mean,
                    "lr": learning_rate,
                    "elapsed_s": self._bar.format_dict["elapsed"],
                }
                file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """End the bar and draw the plot."""
        self._bar.close()
        if self._active:
            plot_loss(self._folder)


def plot_loss(folder: Path) -> Path:
    """Draw the log of a run as loss.png."""
    lines = (folder / LOG_FILE).read_text().splitlines() if (folder / LOG_FILE).exists() else []
    entries = [json.loads(line) for line in lines]
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.plot([entry["step"] for entry in entries], [entry["loss"] for entry in entries], linewidth=0.8)
    axes.set(xlabel="optimiser step", ylabel="loss (mean squared error)", yscale="log", title=folder.name)
    axes.grid(alpha=0.3)
    figure.savefig(folder / PLOT_FILE, dpi=120)
    plt.close(figure)
    return folder / PLOT_FILE
