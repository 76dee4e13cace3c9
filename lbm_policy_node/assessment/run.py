# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From recorded episodes to the evaluation: learn what scores need, score everything, measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.assessment.detectors import UNTIL_SUCCESS, ScoreDetector
from lbm_policy_node.assessment.protocol import CALIBRATION, IN_DISTRIBUTION, TRAINING, Trial
from lbm_policy_node.assessment.scoring import EpisodeScores, Scorer, cost_ms
from lbm_policy_node.assessment.summary import Choice, summarise
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.episodes.chunk_episodes import read_episode
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.registry import (
    learn_parameters,
    make_score,
    score_class,
    score_names,
    train_score,
)
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.action_statistics import read_action_std
from lbm_policy_node.sim.evaluation import SPEC

COSTED = 20  # episodes whose comparisons are timed


@dataclass(frozen=True, eq=False)
class Assessment:
    """The evaluation.

    Attributes:
        episodes: Every episode with all scores.
        monitor: The detector that was put to the test.
        stac: The published baseline, the stronger of its two bandwidths.
        result: Everything as JSON values.
    """

    episodes: tuple[EpisodeScores, ...]
    monitor: ScoreDetector
    stac: ScoreDetector
    result: dict[str, Any]


def assess(
    trials: Sequence[Trial],
    folder: Path,
    checkpoint: Path,
    choice: Choice,
    out: Path,
    *,
    n_samples: int,
    max_overlap_steps: int | None = None,
    on_episode: Callable[[int], object] = lambda _: None,
) -> Assessment:
    """Score and measure what was recorded.

    Args:
        trials: Which episodes.
        folder: Where their files are.
        checkpoint: Folder of the policy that they were recorded with.
        choice: What is put to the test.
        out: Where trained scores go.
        n_samples: Use the first so many samples of each chunk.
        max_overlap_steps: Compare at most so many rows.
        on_episode: Called with 1 after each episode.
    """

    def read(split: str) -> Iterable[ChunkEpisode]:
        return (read_episode(trial.path(folder)) for trial in trials if trial.split == split)

    columns = ScoredColumns.from_spec(RobotSpec.load(shared_path(SPEC)).action)
    scale = ActionScale.from_statistics(read_action_std(checkpoint), columns)
    plain = Scorer(columns, scale, (), n_samples, max_overlap_steps)
    if not any(e.success for e in read(CALIBRATION)):
        raise ValueError("there is no solved episode to calibrate on; run more, or other tasks")
    pairs = [pair for e in read(CALIBRATION) if e.success for pair in plain.pairs(_until_success(e))]
    floor = float(np.median([pair.median_squared_distance for pair in pairs]))
    names = _usable_scores(list(read(TRAINING)), out, has_embedding=bool(len(pairs[0].embedding)))
    configs = [learn_parameters(ScoreConfig(name, floor), pairs, out) for name in names]
    scorer = replace(plain, scores=tuple(make_score(config, out) for config in configs))
    scored = []
    for trial in trials:
        scored.append(scorer(read_episode(trial.path(folder))))
        on_episode(1)
    modes = summarise(scored, choice)
    first = read_episode(trials[0].path(folder)).chunks[0]
    result = {
        "checkpoint_id": first.checkpoint_id,
        "n_samples": n_samples,
        "horizon": first.horizon,
        "execution_horizon": first.execution_horizon,
        "max_overlap_steps": max_overlap_steps,
        "bandwidth_floor": floor,
        "score": choice.score,
        "statistic": choice.accumulation,
        "cost_ms": cost_ms(scorer, [e for e, _ in zip(read(IN_DISTRIBUTION), range(COSTED), strict=False)]),
        "modes": modes,
    }
    stac = modes[UNTIL_SUCCESS]["published_stac"]
    return Assessment(tuple(scored), choice.single, ScoreDetector(*stac.split()), result)


def _until_success(episode: ChunkEpisode) -> ChunkEpisode:
    return replace(episode, chunks=episode.until_success())


def _usable_scores(episodes: Sequence[ChunkEpisode], out: Path, *, has_embedding: bool) -> list[str]:
    """Train the scores that are trained; return all but those that lack an embedding or training episodes.

    Args:
        episodes: To train on, of their own.
        out: Where the trained scores' files go.
        has_embedding: Whether the chunks carry the policy's embedding.
    """
    usable, trainers = [], set()
    for name in score_names():
        kind = score_class(name)
        if (kind.needs_embedding and not has_embedding) or (kind.trainer and not episodes):
            continue
        if kind.trainer and kind.trainer not in trainers:  # scores with the same trainer share its files
            trainers.add(kind.trainer)
            train_score(name, episodes, out)
        usable.append(name)
    return usable
