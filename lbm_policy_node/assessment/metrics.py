# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How well scores and alarms separate failures from successes, with exact intervals and paired tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import nan

import numpy as np
from scipy.stats import binomtest, rankdata

from lbm_policy_node.core.types import Array


def auroc(scores: Array, failed: Array) -> float:
    """Return the probability that a failure scores higher than a success, ties counted half.

    Args:
        scores: Shape (episodes,), larger means more like a failure; -inf is allowed, NaN is not.
        failed: Shape (episodes,), bool.

    Returns:
        The area under the ROC curve; NaN when there are no failures or no successes.
    """
    scores, failed = np.asarray(scores, dtype=np.float64), np.asarray(failed, dtype=bool)
    if scores.shape != failed.shape or scores.ndim != 1:
        raise ValueError(
            f"scores have shape {scores.shape} and labels {failed.shape}, expected (episodes,) twice"
        )
    if np.isnan(scores).any():
        raise ValueError(f"the score of episode {int(np.flatnonzero(np.isnan(scores))[0])} is NaN")
    n_failed = int(failed.sum())
    n_done = len(failed) - n_failed
    if not n_failed or not n_done:
        return nan
    rank_sum = rankdata(scores)[failed].sum()
    return float((rank_sum - n_failed * (n_failed + 1) / 2) / (n_failed * n_done))


@dataclass(frozen=True)
class Share:
    """A count out of a number of independent trials."""

    count: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.total:
            raise ValueError(f"the count is {self.count} of {self.total}, expected 0 <= count <= total")

    @property
    def rate(self) -> float:
        """The share; NaN of nothing."""
        return self.count / self.total if self.total else nan

    def interval(self, mass: float = 0.95) -> tuple[float, float]:
        """Return the exact (Clopper-Pearson) interval of the rate; (0, 1) when there was no trial."""
        return clopper_pearson(self.count, self.total, mass)


@cache  # an evaluation asks thousands of times for a few dozen
def clopper_pearson(count: int, total: int, mass: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval of a rate; (0, 1) when there was no trial."""
    if not total:
        return 0.0, 1.0
    interval = binomtest(count, total).proportion_ci(mass, method="exact")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Rates:
    """What alarms did on failures and on successes."""

    flagged: Share  # failures with an alarm
    false_alarms: Share  # successes with an alarm

    @property
    def tpr(self) -> float:
        """Share of the failures that raised an alarm."""
        return self.flagged.rate

    @property
    def tnr(self) -> float:
        """Share of the successes that raised none."""
        return 1 - self.false_alarms.rate

    @property
    def balanced_accuracy(self) -> float:
        """Mean of TPR and TNR; NaN without failures or without successes."""
        return (self.tpr + self.tnr) / 2


def rates(alarmed: Array, failed: Array) -> Rates:
    """Count alarms; both arguments are bool, shape (episodes,)."""
    alarmed, failed = np.asarray(alarmed, dtype=bool), np.asarray(failed, dtype=bool)
    if alarmed.shape != failed.shape:
        raise ValueError(f"alarms have shape {alarmed.shape} and labels {failed.shape}, expected the same")
    return Rates(
        Share(int((alarmed & failed).sum()), int(failed.sum())),
        Share(int((alarmed & ~failed).sum()), int((~failed).sum())),
    )


@dataclass(frozen=True)
class McNemar:
    """The exact test of two paired yes-or-no outcomes."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar_exact(first: Array, second: Array) -> McNemar:
    """Test whether two outcomes on the same episodes are equally frequent (two-sided, exact).

    Args:
        first: Outcome of one method, bool, shape (episodes,).
        second: Outcome of the other on the same episodes in the same order.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if first.shape != second.shape:
        raise ValueError(f"the outcomes have shapes {first.shape} and {second.shape}, expected pairs")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differing = only_first + only_second
    p_value = float(binomtest(only_first, differing).pvalue) if differing else 1.0
    return McNemar(only_first, only_second, p_value)
