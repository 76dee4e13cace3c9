# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From recorded successes to thresholds; offline.

Mean, spread and bandwidth floor are learned from the same episodes as the thresholds. That bends the
conformal guarantee a little, because a fresh episode had no part in them; with hundreds of steps the effect
is far below the range that the number of episodes leaves anyhow (tests/monitors/test_fit.py measures it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.settings import check_settings, setting
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.alarms import elapsed_s
from lbm_policy_node.monitors.calibration.calibration import UNTIL, Calibration, EpisodeCounts
from lbm_policy_node.monitors.calibration.calibration_set import CalibrationSet, sort_out
from lbm_policy_node.monitors.calibration.conformal import (
    allocate,
    episodes_needed,
    false_alarm_range,
    rank,
    threshold,
)
from lbm_policy_node.monitors.calibration.thresholds import (
    STOP,
    TIME_LIMIT,
    WARN,
    DetectorThreshold,
    LevelThresholds,
    score_detector,
)
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.pair import PairError, SamplePair
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.registry import DEFAULT_SCORE, learn_parameters, make_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.scoring import ChunkScorer
from lbm_policy_node.monitors.statistics import STATISTICS, fit_standardisation, trace

SCORE_SHARE, TIME_SHARE, PROGRESS_SHARE = 0.8, 0.2, 0.2
"""Of alpha. Most goes to the score, which is early; the progress detectors take theirs from the score."""


class FitError(ValueError):
    """The episodes allow no calibration; the text says what is wrong with each kind."""


@dataclass(frozen=True, kw_only=True)
class CalibrationConfig:
    """What to calibrate.

    Attributes:
        score: Which score; a bandwidth floor of 0 is learned.

    Raises:
        ValueError: A value is not possible.
    """

    score: ScoreConfig = field(default_factory=lambda: ScoreConfig(DEFAULT_SCORE))
    statistic: str = setting("cusum", "Running statistic of the score.", choices=STATISTICS)
    warn_alpha: float = setting(
        0.10, "Largest share of successes that may be warned about, over all detectors."
    )
    stop_alpha: float = setting(0.02, "Largest share of successes that may be stopped.")
    until: str = setting(
        "success",
        "success leaves out what comes after it, as for a robot whose run ends then; end does not.",
        choices=UNTIL,
    )
    max_overlap_steps: int | None = setting(
        None, "Compare at most this many rows, the earliest; without it all.", low=1
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if not 0.0 < self.stop_alpha <= self.warn_alpha < 1.0:
            raise ValueError(
                f"stop_alpha is {self.stop_alpha} and warn_alpha {self.warn_alpha}: expected "
                "0 < stop_alpha <= warn_alpha < 1"
            )


def calibrate(
    episodes: Iterable[ChunkEpisode],
    config: CalibrationConfig,
    *,
    columns: ScoredColumns,
    scale: ActionScale,
    checkpoint_id: str,
    source: str,
    date: str,
    folder: Path | None = None,
    progress: Mapping[str, Mapping[str, float]] | None = None,
) -> Calibration:
    """Learn the thresholds of a checkpoint from episodes.

    Args:
        episodes: Successful ones calibrate; all others are counted and named.
        config: What to calibrate.
        columns: What is compared.
        scale: Divisors of the compared values.
        checkpoint_id: The checkpoint.
        source: Where the episodes are from, in words.
        date: Now, ISO 8601.
        folder: Where the weights of a trained score lie.
        progress: Name of a progress detector to the largest score that each episode reached, by episode
            name; an episode without one cannot be used.

    Raises:
        FitError: No episode can be used.
        ConstantScoreError: The score does not vary over the calibration.
    """
    scorer = ChunkScorer(columns, scale, make_score(config.score, folder), config.max_overlap_steps)
    found = sort_out(episodes, scorer, checkpoint_id=checkpoint_id, until=config.until)
    found = _refuse(found, _without_progress(found, progress or {}))
    learned, found = _learn_parameters(config.score, scorer, found, folder)
    scores, found = _all_scores(replace(scorer, score=make_score(learned, folder)), found)
    if found.layout is None or not scores:
        raise FitError(_nothing_left(found))
    standardisation = fit_standardisation(
        np.concatenate(list(scores.values())), score=learned.name, statistic=config.statistic
    )
    maxima = {score_detector(learned.name): [], TIME_LIMIT: []}
    maxima |= {f"progress:{name}": [] for name in progress or {}}
    for name, values in scores.items():
        running = trace(config.statistic, [standardisation(value) for value in values])
        maxima[score_detector(learned.name)].append(running.max())
        maxima[TIME_LIMIT].append(longest_s(found.chunks[name]))
        for detector, largest in (progress or {}).items():
            maxima[f"progress:{detector}"].append(largest[name])
    alphas = {WARN: config.warn_alpha, STOP: config.stop_alpha}
    return Calibration(
        layout=found.layout,
        score=learned,
        scale=scale,
        max_overlap_steps=config.max_overlap_steps,
        statistic=config.statistic,
        standardisation=standardisation,
        levels={level: fit_level(alpha, maxima) for level, alpha in alphas.items()},
        episodes=EpisodeCounts(
            used=len(scores), until=config.until, failed=found.failed, unusable=found.unusable
        ),
        source=source,
        date=date,
    )


def longest_s(chunks: tuple[ActionChunk, ...]) -> float:
    """The largest elapsed time that the monitor sees in an episode."""
    return max(elapsed_s(chunks[0], chunk) for chunk in chunks)


def default_shares(detectors: Iterable[str]) -> dict[str, float]:
    """Split 1 between detectors: progress detectors share 0.2, the time limit has 0.2, the score the rest."""
    names = list(detectors)
    progress = [name for name in names if name.startswith("progress:")]
    shares = {name: PROGRESS_SHARE / len(progress) for name in progress}
    shares[TIME_LIMIT] = TIME_SHARE
    (score,) = set(names) - set(shares)
    shares[score] = SCORE_SHARE - (PROGRESS_SHARE if progress else 0.0)
    return {name: shares[name] for name in names}


def fit_level(alpha: float, maxima: Mapping[str, list[float]]) -> LevelThresholds:
    """Place the thresholds of one level.

    Args:
        alpha: Of all detectors together.
        maxima: Detector to the largest value of its statistic in each episode.
    """
    n = len(next(iter(maxima.values())))
    parts = allocate(alpha, default_shares(maxima), n)
    detectors = {
        name: DetectorThreshold(
            alpha=part,
            rank=rank(n, part),
            threshold=threshold(maxima[name], part),
            false_alarm_range=false_alarm_range(n, part),
        )
        for name, part in parts.items()
    }
    return LevelThresholds(alpha, episodes_needed(alpha), detectors)


def _learn_parameters(
    config: ScoreConfig, scorer: ChunkScorer, found: CalibrationSet, folder: Path | None
) -> tuple[ScoreConfig, CalibrationSet]:
    """What the score takes from calibration: the bandwidth floor, unless it is given, and what is usual."""
    pairs: list[SamplePair] = []
    reasons: dict[str, str] = {}
    for name, chunks in found.chunks.items():
        try:
            pairs += [scorer.pair(*two) for two in pairwise(chunks)]
        except PairError as error:
            reasons[name] = str(error)
    if pairs:
        floor = config.bandwidth_floor or float(np.median([p.median_squared_distance for p in pairs]))
        config = learn_parameters(replace(config, bandwidth_floor=floor), pairs, folder)
    return config, _refuse(found, reasons)


def _all_scores(scorer: ChunkScorer, found: CalibrationSet) -> tuple[dict[str, Array], CalibrationSet]:
    """The scores of each episode's chunks after the first."""
    scores: dict[str, Array] = {}
    reasons: dict[str, str] = {}
    for name, chunks in found.chunks.items():
        try:
            scores[name] = scorer.scores(chunks)
        except PairError as error:
            reasons[name] = str(error)
    return scores, _refuse(found, reasons)


def _without_progress(found: CalibrationSet, progress: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    return {
        name: f"it has no finite score of the progress detector '{detector}'"
        for detector, largest in progress.items()
        for name in found.chunks
        if not np.isfinite(largest.get(name, np.nan))
    }


def _refuse(found: CalibrationSet, reasons: Mapping[str, str]) -> CalibrationSet:
    """Move episodes to the unusable ones."""
    kept = {name: chunks for name, chunks in found.chunks.items() if name not in reasons}
    return replace(found, chunks=kept, unusable=(*found.unusable, *reasons.items()))


def _nothing_left(found: CalibrationSet) -> str:
    reasons = "".join(f"\n- {name}: {why}" for name, why in found.unusable)
    return f"no episode can calibrate: {len(found.failed)} failed, {len(found.unusable)} unusable{reasons}"
