# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Episodes from the simulator to calibrate a monitor on, where none were recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lbm_policy_node.assessment.protocol import CALIBRATION, TRAINING, Trial
from lbm_policy_node.assessment.recording import RecordingConfig, record

SEED = 300_000
"""First scene; evaluations and the training of policies use others."""
MAX_STEPS = 160
"""Policy steps until an episode has failed; 8 s, as in the demo."""


@dataclass(frozen=True, kw_only=True)
class CalibrationRuns:
    """What to run.

    Attributes:
        checkpoint: Folder of the policy.
        episodes: Per task, to calibrate on.
        tasks: Names of the tasks.
        samples: Chunks drawn per inference.
        latency_steps: Chunks arrive 0 to so many policy steps late, drawn per episode.
        train: Run a third as many others, for scores that are trained.
    """

    checkpoint: str
    episodes: int
    tasks: tuple[str, ...]
    samples: int
    latency_steps: int
    train: bool


def trials_of(runs: CalibrationRuns) -> list[Trial]:
    """List the episodes; those to train on are other scenes."""
    counts = {CALIBRATION: runs.episodes, TRAINING: max(1, runs.episodes // 3) if runs.train else 0}
    return [
        Trial(split, task, "", SEED + 10_000 * place + i)
        for task in runs.tasks
        for place, (split, count) in enumerate(counts.items())
        for i in range(count)
    ]


def run_episodes(
    runs: CalibrationRuns, folder: Path, processes: int, on_finished: Callable[[int], object]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Run what is missing; returns the folders to calibrate and to train on.

    Args:
        runs: What to run.
        folder: Where the episodes go.
        processes: How many at a time.
        on_finished: Called with the number of episodes that were there, and then of each block.
    """
    trials = trials_of(runs)
    config = RecordingConfig(
        checkpoint=runs.checkpoint,
        max_steps=MAX_STEPS,
        n_samples=runs.samples,
        latency_steps=runs.latency_steps,
        stop_at_success=True,
        expert_steps=0,
    )
    on_finished(sum(trial.path(folder).exists() for trial in trials))
    for finished in record(trials, config, folder, processes=processes):
        on_finished(finished)
    return (folder / CALIBRATION,), ((folder / TRAINING,) if runs.train else ())
