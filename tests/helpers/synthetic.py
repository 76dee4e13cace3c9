# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Scored episodes whose outcome and scores are known."""

import numpy as np

from lbm_policy_node.assessment.protocol import CALIBRATION, ERRATIC, IN_DISTRIBUTION
from lbm_policy_node.assessment.scoring import EpisodeScores

CHUNKS = 20


def episode(
    number: int,
    *,
    split: str = IN_DISTRIBUTION,
    task: str = "door",
    success_chunks: int | None = 8,
    rise_at: int | None = None,
    expert_until: int = -1,
    perturbation: str = "",
) -> EpisodeScores:
    """Make an episode: scores near 1, and near 3 from `rise_at` on; the expert can save it until a chunk."""
    random = np.random.default_rng(number)
    scores = np.abs(random.normal(1.0, 0.2, CHUNKS))
    if rise_at is not None:
        scores[rise_at:] += 2.0
    scores[0] = 0.0
    success = success_chunks is not None
    return EpisodeScores(
        episode_id=f"{split}-{task}-{number}",
        split=split,
        task=task,
        perturbation=perturbation,
        success=success,
        chunks=CHUNKS,
        success_chunks=success_chunks if success_chunks is not None else CHUNKS,
        expert_chunks=() if success else tuple(5.0 if i <= expert_until else -1.0 for i in range(CHUNKS)),
        scores={"energy_ood": scores, "mmd_median": scores, "mmd_dim": scores**2},
    )


def clean_set(n: int = 100) -> list[EpisodeScores]:
    """Solved episodes for calibration and fresh ones, of two tasks, of 6 to 10 chunks."""
    return [
        episode(i, split=split, task=task, success_chunks=6 + i % 5)
        for i, (split, task) in enumerate(
            (split, task)
            for split in (CALIBRATION, IN_DISTRIBUTION)
            for task in ("door", "drawer")
            for _ in range(n // 2)
        )
    ]


def failing_set(n: int = 20) -> list[EpisodeScores]:
    """Failures whose scores rise at chunk 5 and which can be saved until chunk 12."""
    return [
        episode(
            1000 + i,
            split=ERRATIC,
            task=("door", "drawer")[i % 2],
            success_chunks=None,
            rise_at=5,
            expert_until=12,
            perturbation="teleport",
        )
        for i in range(n)
    ]
