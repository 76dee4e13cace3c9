# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An episode reduced to one score per replan: what every offline statistic works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.types import Array


@dataclass(frozen=True, eq=False)
class ScoredEpisode:
    """One score per replan of one episode.

    The first replan has no predecessor to be compared with. Its entry keeps the place in time and is never
    used as a score.

    Attributes:
        episode_id: Unique within its group.
        group: The task; cuts and means per task go by it.
        success: Whether the task was done.
        scores: Shape (replans,), finite, larger is less consistent; entry 0 is a placeholder.
        limit: Replans after which the episode would have been ended; None when unknown.
        seed: What the episode shares with others that are not independent of it, for example the same scene
            under another perturbation; empty: the episode stands alone.
        score: Which score it is, for messages.
    """

    episode_id: str
    group: str
    success: bool
    scores: Array
    limit: int | None = None
    seed: str = ""
    score: str = "score"

    def __post_init__(self) -> None:
        scores = np.array(self.scores, dtype=np.float64)
        scores.setflags(write=False)
        object.__setattr__(self, "scores", scores)
        name = f"episode {self.episode_id!r} of {self.group!r}"
        if scores.ndim != 1 or not len(scores):
            raise ValueError(
                f"{name}: scores have shape {scores.shape}, expected (replans,) with at least one"
            )
        if not np.isfinite(scores).all():
            first = int(np.flatnonzero(~np.isfinite(scores))[0])
            raise ValueError(
                f"{name}: the score of replan {first} is {scores[first]}; every score must be finite"
            )
        if self.limit is not None and self.limit < len(scores):
            raise ValueError(f"{name}: it has {len(scores)} replans and a limit of only {self.limit}")

    @property
    def replans(self) -> int:
        """The episode's length in replans, the first one counted."""
        return len(self.scores)

    @property
    def compared(self) -> Array:
        """The scores of replans that have a predecessor, shape (replans - 1,)."""
        return self.scores[1:]

    @property
    def cluster(self) -> tuple[str, str]:
        """Episodes of one cluster are resampled together: (task, seed)."""
        return self.group, self.seed or f"episode {self.episode_id}"
