# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The one way from two chunks to a score, live, in calibration and in evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.pair import PairError, SamplePair, make_pair
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.score import Score


@dataclass(frozen=True)
class ScoredPair:
    """A score and how many rows it compared."""

    value: float
    overlap_steps: int


@dataclass(frozen=True)
class ChunkScorer:
    """Scores consecutive chunks.

    Attributes:
        columns: What is compared.
        scale: Divisors of the compared values.
        score: The score.
        max_overlap_steps: Compare at most this many rows, the earliest; None is all.
    """

    columns: ScoredColumns
    scale: ActionScale
    score: Score
    max_overlap_steps: int | None = None

    def unsuitable(self, chunk: ActionChunk) -> str:
        """Say why the score does not apply to chunks of this kind; empty when it does."""
        if not chunk.stochastic:
            return "the policy is deterministic, so its samples say nothing"
        if not len(chunk.samples):
            return "the chunk carries no unguided samples"
        if len(chunk.samples) < self.score.min_samples:
            return f"{self.score.name} needs {self.score.min_samples} samples per chunk, there is 1"
        if chunk.guided and self.score.compares_executed:
            return f"{self.score.name} compares with the executed chunk, which was made consistent on purpose"
        if self.score.needs_embedding and not chunk.embedding.size:
            return f"{self.score.name} needs the policy's embedding, which the chunk does not carry"
        return ""

    def defect(self, chunk: ActionChunk) -> str:
        """Say why a chunk cannot be judged, whatever came before it; empty when it can."""
        if chunk.action_names != self.columns.action_names:
            return (
                f"the chunk has the columns [{', '.join(chunk.action_names)}], "
                f"the robot [{', '.join(self.columns.action_names)}]"
            )
        if not (np.isfinite(chunk.samples).all() and np.isfinite(chunk.actions).all()):
            return "the chunk has values that are not finite"
        return ""

    def pair(self, previous: ActionChunk, current: ActionChunk) -> SamplePair:
        """Align two chunks; see make_pair for what it raises."""
        return make_pair(previous, current, self.columns, self.scale, self.max_overlap_steps)

    def __call__(self, previous: ActionChunk, current: ActionChunk) -> ScoredPair:
        """Score two chunks.

        Raises:
            PairError: They cannot be compared; NoOverlap when they plan no instant in common.
        """
        pair = self.pair(previous, current)
        try:
            value = self.score(pair)
        except (ValueError, ArithmeticError) as error:
            raise PairError(f"{self.score.name} cannot be computed: {error}") from error
        if not math.isfinite(value):
            raise PairError(f"{self.score.name} of chunk {current.chunk_id} is {value}")
        return ScoredPair(value, pair.n_steps)

    def scores(self, chunks: Sequence[ActionChunk]) -> Array:
        """Score each chunk of an episode against the one before, shape (chunks - 1,).

        Raises:
            PairError: Two of them cannot be compared.
        """
        return np.array([self(previous, current).value for previous, current in pairwise(chunks)])
