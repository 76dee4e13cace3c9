# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores recorded episodes with the code that the monitor runs, every score on the same samples."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode, first_samples
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.pair import SamplePair, make_pair
from lbm_policy_node.monitors.progress.reward import trace as reward_trace
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.score import Score

PROGRESS = "progress_oracle"


@dataclass(frozen=True, eq=False, kw_only=True)
class EpisodeScores:
    """One simulated episode reduced to what detectors need.

    Attributes:
        episode_id: Unique within the evaluation.
        split: See assessment/protocol.py.
        task: Name of the task.
        perturbation: Name, empty for none.
        success: Whether the task was solved.
        chunks: Number of chunks in the whole episode.
        success_chunks: Chunks whose observation came no later than the success; all without success.
        expert_chunks: Per chunk how many chunks of time the expert needs to finish from there, -1 if it
            fails; empty for solved episodes.
        scores: By name, shape (chunks,); entry 0 has no predecessor and is 0.
    """

    episode_id: str
    split: str
    task: str
    perturbation: str
    success: bool
    chunks: int
    success_chunks: int
    expert_chunks: tuple[float, ...]
    scores: Mapping[str, Array]

    @property
    def recoverable(self) -> tuple[bool, ...]:
        """Per chunk whether the expert can finish from there; empty for solved episodes."""
        return tuple(needed >= 0 for needed in self.expert_chunks)

    @property
    def recoverable_in_time(self) -> tuple[bool, ...]:
        """Per chunk whether the expert can finish before the episode's time is up."""
        return tuple(0 <= needed <= self.chunks - i for i, needed in enumerate(self.expert_chunks))


@dataclass(frozen=True)
class Scorer:
    """What turns the chunks of an episode into scores.

    Attributes:
        columns: What is compared.
        scale: In which units.
        scores: All of them, on the same pairs.
        n_samples: Use only the first so many samples of each chunk; those do not depend on their number.
        max_overlap_steps: Compare at most so many rows.
    """

    columns: ScoredColumns
    scale: ActionScale
    scores: Sequence[Score]
    n_samples: int
    max_overlap_steps: int | None = None

    def pairs(self, episode: ChunkEpisode) -> Iterator[SamplePair]:
        """Yield the comparison of each chunk but the first with the one before."""
        chunks = [first_samples(chunk, self.n_samples) for chunk in episode.chunks]
        for previous, current in pairwise(chunks):
            yield make_pair(previous, current, self.columns, self.scale, self.max_overlap_steps)

    def __call__(self, episode: ChunkEpisode) -> EpisodeScores:
        """Score an episode."""
        rows = [[score(pair) for score in self.scores] for pair in self.pairs(episode)]
        values = np.array([[0.0] * len(self.scores), *rows])
        scores = {score.name: values[:, i] for i, score in enumerate(self.scores)}
        if len(episode.rewards):
            scores[PROGRESS] = _progress(episode)
        return EpisodeScores(
            episode_id=episode.episode_id,
            split=str(episode.meta["split"]),
            task=episode.task,
            perturbation=str(episode.meta["perturbation"]),
            success=episode.success,
            chunks=len(episode.chunks),
            success_chunks=len(episode.until_success()),
            expert_chunks=_expert_chunks(episode),
            scores=scores,
        )


def cost_ms(scorer: Scorer, episodes: Iterable[ChunkEpisode]) -> dict[str, tuple[float, float]]:
    """Return median and 99th percentile per score of the time from two chunks to a number, ms."""
    spent: dict[str, list[float]] = {score.name: [] for score in scorer.scores}
    for episode in episodes:
        for score in scorer.scores:
            spent[score.name] += _times(replace(scorer, scores=(score,)), episode)
    return {name: (float(np.median(t)), float(np.quantile(t, 0.99))) for name, t in spent.items()}


def _times(scorer: Scorer, episode: ChunkEpisode) -> list[float]:
    chunks = [first_samples(chunk, scorer.n_samples) for chunk in episode.chunks]
    times = []
    for previous, current in pairwise(chunks):
        began = time.perf_counter()
        scorer.scores[0](make_pair(previous, current, scorer.columns, scorer.scale, scorer.max_overlap_steps))
        times.append((time.perf_counter() - began) * 1e3)
    return times


def _expert_chunks(episode: ChunkEpisode) -> tuple[float, ...]:
    steps_per_chunk = max(1, episode.chunks[0].execution_horizon)
    return tuple(n / steps_per_chunk if n >= 0 else -1.0 for n in episode.meta["expert_steps"])


def _progress(episode: ChunkEpisode) -> Array:
    """The reward detector's score at the instant of each chunk: the newest one that is known by then."""
    values = reward_trace(episode.reward_stamps_ns, episode.rewards)
    stamps = [chunk.observation_stamp_ns for chunk in episode.chunks]
    newest = np.searchsorted(episode.reward_stamps_ns, stamps, side="right") - 1
    return np.where(newest >= 0, values[np.maximum(newest, 0)], 0.0)
