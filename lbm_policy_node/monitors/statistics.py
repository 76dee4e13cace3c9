# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From a score per chunk to a running statistic per episode, whose maximum is what gets a threshold.

The step scores are standardised with the mean and spread of the calibration first: z = (score - mean) / std.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lbm_policy_node.core.types import Array

DRIFT = 0.5
"""CUSUM: what a step may exceed the calibration mean by without counting, in standard deviations."""
WINDOW = 10
"""Steps of the sliding window."""
_SMALLEST_SPREAD = 1e-9
_SPREAD_FLOOR = 1e-6


class ConstantScoreError(ValueError):
    """A score that does not vary cannot be standardised."""


class RunningStatistic(Protocol):
    """A statistic over the steps of one episode."""

    def reset(self) -> None:
        """Begin an episode."""
        ...

    def update(self, z: float) -> float:
        """Take one standardised score and return the statistic."""
        ...


class Cusum:
    """Page's cumulative sum, S = max(0, S + z - drift): early on a small lasting rise, forgets a blip."""

    def __init__(self) -> None:
        """Begin an episode."""
        self.reset()

    def reset(self) -> None:
        self._sum = 0.0

    def update(self, z: float) -> float:
        self._sum = max(0.0, self._sum + z - DRIFT)
        return self._sum


class WindowMean:
    """Mean of the last steps, of fewer at the start."""

    def __init__(self) -> None:
        """Begin an episode."""
        self.reset()

    def reset(self) -> None:
        self._last: deque[float] = deque(maxlen=WINDOW)

    def update(self, z: float) -> float:
        self._last.append(z)
        return sum(self._last) / len(self._last)


class RunningMaximum:
    """The largest step so far."""

    def __init__(self) -> None:
        """Begin an episode."""
        self.reset()

    def reset(self) -> None:
        self._largest = -np.inf

    def update(self, z: float) -> float:
        self._largest = max(self._largest, z)
        return self._largest


class Cumulative:
    """Sum over all steps, as published for STAC (arXiv:2410.04640). It sums scores that are not centred.

    So an episode that runs longer scores higher: much of what it detects is elapsed time.
    """

    def __init__(self) -> None:
        """Begin an episode."""
        self.reset()

    def reset(self) -> None:
        self._sum = 0.0

    def update(self, z: float) -> float:
        self._sum += z
        return self._sum


_KINDS: dict[str, type[Cusum] | type[WindowMean] | type[RunningMaximum] | type[Cumulative]] = {
    "cusum": Cusum,
    "window": WindowMean,
    "max": RunningMaximum,
    "cumulative": Cumulative,
}
STATISTICS: tuple[str, ...] = tuple(_KINDS)


def make_statistic(name: str) -> RunningStatistic:
    """Make a statistic by name.

    Raises:
        ValueError: There is no such statistic.
    """
    if name not in _KINDS:
        raise ValueError(f"statistic {name!r} does not exist; there are {STATISTICS}")
    return _KINDS[name]()


def trace(name: str, z: Sequence[float] | Array) -> Array:
    """The statistic after each step of an episode, by the code that runs live; same shape as z."""
    statistic = make_statistic(name)
    return np.array([statistic.update(float(value)) for value in z], dtype=np.float64)


@dataclass(frozen=True)
class Standardisation:
    """Maps a score to standard deviations from its mean in calibration.

    Raises:
        ValueError: A value is not finite, or the spread is not above 0.
    """

    mean: float
    std: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and np.isfinite(self.std) and self.std > 0):
            raise ValueError(f"mean {self.mean} and std {self.std}: expected finite, and std above 0")

    def __call__(self, score: float) -> float:
        """Standardise one score."""
        return (score - self.mean) / self.std


def fit_standardisation(scores: Array, *, score: str, statistic: str) -> Standardisation:
    """Take mean and spread of all steps of the calibration.

    The cumulative statistic keeps mean 0 and is only rescaled, so that its alarms are the published ones.

    Args:
        scores: Of every step of every episode, shape (steps,).
        score: Name, for the error.
        statistic: Which statistic they are for.

    Raises:
        ConstantScoreError: The score does not vary.
    """
    mean, std = float(np.mean(scores)), float(np.std(scores))
    magnitude = float(np.abs(scores).max())
    if std <= _SMALLEST_SPREAD * magnitude:
        raise ConstantScoreError(
            f"score '{score}' is {mean:g} at each of the {len(scores)} calibration steps: it cannot tell "
            "anything apart; record with more samples, or choose another score"
        )
    return Standardisation(0.0 if statistic == "cumulative" else mean, max(std, _SPREAD_FLOOR * magnitude))
