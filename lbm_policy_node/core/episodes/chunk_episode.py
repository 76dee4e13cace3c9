# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An episode as a monitor sees it: every chunk with its samples, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lbm_policy_node.core.types import ActionChunk, Array


@dataclass(frozen=True, eq=False, kw_only=True)
class ChunkEpisode:
    """One episode.

    Attributes:
        episode_id: Unique within a set.
        task: What was to be done, as a group for statistics.
        success: Whether it was done.
        success_ns: When, ROS time; None without success.
        chunks: In time order, samples included; all of one layout, checkpoint and instruction mode.
        reward_stamps_ns: Times of the rewards, shape (steps,), int64; empty where nothing gives a reward.
        rewards: The simulator's reward after each policy step, shape (steps,).
        meta: JSON values: how it was made.
    """

    episode_id: str
    task: str
    success: bool
    success_ns: int | None
    chunks: tuple[ActionChunk, ...]
    reward_stamps_ns: Array = field(default_factory=lambda: np.empty(0, np.int64))
    rewards: Array = field(default_factory=lambda: np.empty(0))
    meta: Mapping[str, Any] = field(default_factory=dict)

    def until_success(self) -> tuple[ActionChunk, ...]:
        """The chunks whose observation came no later than the success; all of them without success."""
        if self.success_ns is None:
            return self.chunks
        return tuple(c for c in self.chunks if c.observation_stamp_ns <= self.success_ns)


def with_first_samples(episode: ChunkEpisode, n_samples: int) -> ChunkEpisode:
    """Return the episode with only the first samples of each chunk; those do not depend on their number.

    Raises:
        ValueError: A chunk has fewer.
    """
    return replace(episode, chunks=tuple(first_samples(chunk, n_samples) for chunk in episode.chunks))


def first_samples(chunk: ActionChunk, n_samples: int) -> ActionChunk:
    """Return the chunk with only the first samples.

    Raises:
        ValueError: It has fewer.
    """
    if len(chunk.samples) < n_samples:
        raise ValueError(f"chunk {chunk.chunk_id} has {len(chunk.samples)} samples; {n_samples} are required")
    return replace(chunk, samples=chunk.samples[:n_samples])
