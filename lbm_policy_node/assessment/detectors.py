# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Detectors as an evaluation compares them: one statistic per chunk, calibrated on solved episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np

from lbm_policy_node.assessment.detection import detection_replan, earliest
from lbm_policy_node.assessment.scoring import EpisodeScores
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.calibration import conformal
from lbm_policy_node.monitors.statistics import Standardisation, fit_standardisation, trace

UNTIL_SUCCESS, FIXED_LENGTH = "until_success", "fixed_length"
MODES = (UNTIL_SUCCESS, FIXED_LENGTH)
"""Whether a solved episode ends with its success, as on a robot, or goes on as long as a failed one."""

Alarm = Callable[[EpisodeScores], int | None]
"""At which chunk an episode raises its alarm; None if it raises none."""


def n_chunks(episode: EpisodeScores, mode: str) -> int:
    """Return how many chunks of an episode count."""
    return episode.success_chunks if mode == UNTIL_SUCCESS else episode.chunks


class Fitted(Protocol):
    """A detector that knows what is usual."""

    def statistic(self, episode: EpisodeScores) -> Array:
        """Return what rises with suspicion, one value per chunk that counts."""
        ...

    def alarm(self, alpha: float) -> Alarm:
        """Return the alarm whose false-alarm rate is to be at most alpha."""
        ...


class Detector(Protocol):
    """Something that can be calibrated on solved episodes."""

    @property
    def name(self) -> str:
        """For tables."""
        ...

    def fitted(self, successes: Sequence[EpisodeScores], mode: str) -> Fitted:
        """Calibrate."""
        ...


@dataclass(frozen=True)
class ScoreDetector:
    """A score, standardised on solved episodes, accumulated, against a conformal threshold."""

    score: str
    accumulation: str

    @property
    def name(self) -> str:
        """Score and running statistic."""
        return f"{self.score} {self.accumulation}"

    def fitted(self, successes: Sequence[EpisodeScores], mode: str) -> Fitted:
        """Take mean and spread over all comparisons of the solved episodes."""
        steps = np.concatenate([e.scores[self.score][1 : n_chunks(e, mode)] for e in successes])
        scaling = fit_standardisation(steps, score=self.score, statistic=self.accumulation)
        return _FittedThreshold(successes, lambda e: self._trace(e, mode, scaling))

    def _trace(self, episode: EpisodeScores, mode: str, scaling: Standardisation) -> Array:
        values = episode.scores[self.score][1 : n_chunks(episode, mode)]
        accumulated = trace(self.accumulation, [scaling(value) for value in values])
        return np.concatenate([[-inf], accumulated])  # the first chunk has no predecessor


@dataclass(frozen=True)
class ElapsedTime:
    """Suspects every episode more with each chunk; the baseline that any claim has to beat."""

    name: str = "elapsed time"

    def fitted(self, successes: Sequence[EpisodeScores], mode: str) -> Fitted:
        """Take the durations of the solved episodes."""
        return _FittedThreshold(successes, lambda e: np.arange(n_chunks(e, mode), dtype=np.float64))


@dataclass(frozen=True)
class AnyOf:
    """The OR of detectors, each with its share of alpha; a share that cannot be armed goes to the others.

    As a statistic it offers that of its first part, for thresholds that are joined have none of their own.
    """

    name: str
    parts: Mapping[str, Detector]
    shares: Mapping[str, float]

    def fitted(self, successes: Sequence[EpisodeScores], mode: str) -> Fitted:
        """Calibrate every part."""
        parts = {key: part.fitted(successes, mode) for key, part in self.parts.items()}
        return _FittedAnyOf(parts, self.shares, len(successes))


class _FittedThreshold:
    def __init__(
        self, successes: Sequence[EpisodeScores], statistic: Callable[[EpisodeScores], Array]
    ) -> None:
        self._compute = statistic
        self._known: dict[str, Array] = {}
        self._maxima = [float(self.statistic(episode).max()) for episode in successes]

    def statistic(self, episode: EpisodeScores) -> Array:
        if episode.episode_id not in self._known:
            self._known[episode.episode_id] = self._compute(episode)
        return self._known[episode.episode_id]

    def alarm(self, alpha: float) -> Alarm:
        threshold = self.threshold(alpha)
        return lambda episode: detection_replan(self.statistic(episode), threshold)

    def threshold(self, alpha: float) -> float:
        return conformal.threshold(self._maxima, alpha)


class _FittedAnyOf:
    def __init__(self, parts: Mapping[str, Fitted], shares: Mapping[str, float], n: int) -> None:
        self._parts, self._shares, self._n = parts, shares, n

    def statistic(self, episode: EpisodeScores) -> Array:
        return next(iter(self._parts.values())).statistic(episode)

    def alarm(self, alpha: float) -> Alarm:
        alphas = conformal.allocate(alpha, self._shares, self._n)
        alarms = [self._parts[key].alarm(part) for key, part in alphas.items()]
        return lambda episode: earliest(*(alarm(episode) for alarm in alarms))
