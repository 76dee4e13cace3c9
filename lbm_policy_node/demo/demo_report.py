# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the demo leaves behind: a table, results.json, a contact sheet and a plot of the paths."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import matplotlib
import numpy as np

from lbm_policy_node.demo.demo_plan import EpisodeResult

matplotlib.use("Agg")
import matplotlib.pyplot as plt

GREEN, RED, BLUE, GREY = "#2a7f3f", "#b03030", "#1f5fbf", "#9a9a9a"
AXES = ("x", "y", "z")


def table(results: Sequence[EpisodeResult]) -> str:
    """Return the results as text, a line per episode."""
    width = max(len("instruction"), *(len(result.instruction) for result in results))
    lines = [f"{'instruction':{width}}  solved    seconds  chunks  inference  end"]
    for result in results:
        mark = click.style(f"{_verdict(result):8}", fg="green" if result.by_policy else "red")
        duration = "-" if result.inference_ms is None else f"{result.inference_ms:.1f} ms"
        end = result.ending.split(":")[0]
        figures = f"{result.seconds:7.2f}  {result.chunks:6d}  {duration:>9}"
        lines.append(f"{result.instruction:{width}}  {mark}  {figures}  {end}")
    return "\n".join(lines)


def _verdict(result: EpisodeResult) -> str:
    if result.by_policy:
        return "yes"
    return "operator" if result.solved else "no"


def write_json(path: Path, results: Sequence[EpisodeResult], **facts: Any) -> None:
    """Write results and facts about the run."""
    content = {**facts, "episodes": [asdict(result) for result in results]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_contact_sheet(path: Path, results: Sequence[EpisodeResult], folder: Path) -> None:
    """Draw a row per episode with its moments from left to right."""
    recordings = [np.load(folder / result.recording, allow_pickle=False) for result in results]
    columns = max(1, *(len(recording["frames"]) for recording in recordings))
    figure, axes = plt.subplots(
        len(results), columns, figsize=(1.7 * columns + 2.1, 1.75 * len(results)), squeeze=False
    )
    for row, result, recording in zip(axes, results, recordings, strict=True):
        _draw_moments(row, recording)
        color = BLUE if result.human_s else GREEN if result.solved else RED
        verdict = f"solved in {result.seconds:.1f} s" if result.solved else "not solved"
        if result.human_s:
            verdict += f"\n{result.human_s:.1f} s by the operator"
        row[0].text(
            -0.08, 0.5, f"{textwrap.fill(result.instruction, 24)}\n{verdict}", transform=row[0].transAxes,
            ha="right", va="center", fontsize=8, color=color, wrap=False,
        )  # fmt: skip
    figure.subplots_adjust(
        left=2.0 / figure.get_figwidth(), right=0.99, top=0.99, bottom=0.01, wspace=0.03, hspace=0.06
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_moments(row: Any, recording: Any) -> None:
    frames, times = recording["frames"], recording["frame_times_s"]
    for index, axis in enumerate(row):
        axis.axis("off")
        if index < len(frames):
            axis.imshow(frames[index])
            moment = f"{max(times[index], 0.0):.1f} s"
            axis.text(
                0.03, 0.03, moment, transform=axis.transAxes, fontsize=6, color="white",
                bbox={"facecolor": "black", "alpha": 0.5, "pad": 1, "edgecolor": "none"},
            )  # fmt: skip


def write_path_plot(path: Path, results: Sequence[EpisodeResult], folder: Path) -> None:
    """Draw commanded against measured end-effector position per episode, with the chunks behind them."""
    figure, axes = plt.subplots(
        len(results), 3, figsize=(12, 1.9 * len(results) + 0.6), squeeze=False, sharex="row"
    )
    for row, result in zip(axes, results, strict=True):
        _draw_paths(row, np.load(folder / result.recording, allow_pickle=False))
        row[0].set_title(
            result.instruction, loc="left", fontsize=9, color=GREEN if result.solved else RED, pad=3
        )
    for axis in axes[-1]:
        axis.set_xlabel("seconds since the instruction", fontsize=8)
    axes[0][2].legend(loc="upper right", fontsize=7, framealpha=0.8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _draw_paths(row: Any, recording: Any) -> None:
    for column, axis in enumerate(row, start=1):
        for index, chunk in enumerate(recording["chunks"]):
            axis.plot(
                chunk[:, 0], chunk[:, column], color=GREY, lw=0.5, alpha=0.5, label="" if index else "chunks"
            )
        for name, color in (("commanded", "#1f5fbf"), ("measured", "#e07b00")):
            axis.plot(recording[name][:, 0], recording[name][:, column], color=color, lw=1.1, label=name)
        axis.set_ylabel(f"{AXES[column - 1]} (m)", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3, lw=0.5)
