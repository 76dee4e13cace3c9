# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Episodes of a made-up policy whose samples agree from chunk to chunk as much as one says."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.builders import STEP_NS, make_chunk
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig, calibrate
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.scale import ActionScale

NAMES = ("x", "y", "grip")
COLUMNS = ScoredColumns(NAMES, (0, 1))
SCALE = ActionScale(("x", "y"), (0.1, 0.1))
CHECKPOINT = "0123456789abcdef"
HORIZON, EXECUTED, SAMPLES = 8, 4, 6
BEGIN_NS = 1_700_000_000_000_000_000
INSTRUCTION = "open the door"


def chunk(number: int, *, seed: int = 0, shift: float = 0.0, **changes: Any) -> ActionChunk:
    """The chunk of one inference.

    Args:
        number: Which inference of the run.
        seed: Of the run.
        shift: By how much all samples of this chunk disagree with the plan that the run follows.
        **changes: Replace fields of the chunk.
    """
    random = np.random.default_rng([seed, number])
    samples = changes.pop("n_samples", SAMPLES)
    start_ns = BEGIN_NS + number * EXECUTED * STEP_NS
    seconds = (start_ns - BEGIN_NS) * 1e-9 + np.arange(HORIZON)[:, None] * STEP_NS * 1e-9
    plan = np.sin(seconds * np.array([1.0, 1.7, 0.3]))
    drawn = plan + shift + 0.1 * random.normal(size=(samples, HORIZON, len(NAMES)))
    values: dict[str, Any] = {
        "chunk_id": number + 1,
        "observation_stamp_ns": start_ns - STEP_NS,
        "actions": drawn[0] if samples else plan,
        "samples": drawn,
        "action_names": NAMES,
        "checkpoint_id": CHECKPOINT,
        "instruction": INSTRUCTION,
        "stochastic": True,
        "index": number,
        "execution_horizon": EXECUTED,
    }
    return make_chunk(**{**values, **changes})


def episode(
    seed: int, *, length: int | None = None, success: bool = True, shift: float = 0.0, **changes: Any
) -> ChunkEpisode:
    """An episode of 6 to 13 chunks; `shift` makes every second chunk disagree with the one before.

    A success comes with the third chunk from the end: chunks after it belong to what happens later.
    """
    count = length or int(np.random.default_rng(seed).integers(6, 14))
    chunks = tuple(chunk(n, seed=seed, shift=shift * (n % 2), **changes) for n in range(count))
    success_ns = chunks[max(0, count - 3)].observation_stamp_ns if success else None
    return ChunkEpisode(
        episode_id=f"door-{seed}", task="door", success=success, success_ns=success_ns, chunks=chunks
    )


def episodes(count: int, first_seed: int = 0) -> list[ChunkEpisode]:
    """Successful episodes of different seeds."""
    return [episode(first_seed + seed) for seed in range(count)]


def calibrated(count: int = 30, **changes: Any) -> Calibration:
    """A calibration of so many successes; the seeds from 1000 on are those that it has not seen."""
    return calibrate(
        episodes(count),
        CalibrationConfig(**changes),
        columns=COLUMNS,
        scale=SCALE,
        checkpoint_id=CHECKPOINT,
        source="made up",
        date="2026-11-21T13:00:00+00:00",
    )
