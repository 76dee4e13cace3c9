# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Thresholds with a guarantee: split conformal prediction on one number per successful episode.

If calibration and future successes are exchangeable, a future one exceeds the k-th smallest of n calibration
values with probability at most alpha for k = ceil((n + 1)(1 - alpha)) (Vovk et al. 2005). A plain quantile of
the values, as often published, alarms more often than alpha says. Offline only: it needs SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import beta

from lbm_policy_node.core.types import Array

_ROUNDING = 1e-9
"""(n + 1)(1 - alpha) this little above a whole number is that number: 0.1 has no exact float."""


def _check_alpha(alpha: float) -> None:
    if not 0.0 <= alpha < 1.0:
        raise ValueError(f"alpha is {alpha}, expected at least 0 and below 1")


def rank(n: int, alpha: float) -> int:
    """k = ceil((n + 1)(1 - alpha)); above n means that n episodes allow no threshold."""
    _check_alpha(alpha)
    return math.ceil((n + 1) * (1.0 - alpha) - _ROUNDING)


def episodes_needed(alpha: float) -> int:
    """The fewest episodes that allow a threshold: 9 for 0.10, 49 for 0.02.

    Raises:
        ValueError: alpha is 0, which no number of episodes allows.
    """
    _check_alpha(alpha)
    if alpha == 0.0:
        raise ValueError("alpha is 0: no number of episodes allows a threshold that never alarms")
    n = max(1, math.ceil(1.0 / alpha - 1.0 - _ROUNDING))
    return n if rank(n, alpha) <= n else n + 1


def threshold(maxima: Sequence[float] | Array, alpha: float) -> float:
    """The rank-th smallest of the calibration values; alarm when a statistic is above it.

    Args:
        maxima: One per calibration episode: the largest value of its statistic.
        alpha: Largest share of false alarms per episode.

    Returns:
        The threshold; infinite when there are too few episodes.
    """
    values = np.sort(np.asarray(maxima, dtype=np.float64))
    k = rank(len(values), alpha)
    return float(values[k - 1]) if 1 <= k <= len(values) else math.inf


def false_alarm_range(n: int, alpha: float, mass: float = 0.9) -> tuple[float, float]:
    """Where the false-alarm probability of one calibration lies, for most calibrations.

    Given the calibration, a continuous statistic exceeds its k-th smallest of n values with a probability
    distributed as Beta(n + 1 - k, k) (Vovk 2012, arXiv:1209.2673).

    Returns:
        The central interval that holds `mass` of that distribution; (0, 0) when there is no threshold.
    """
    k = rank(n, alpha)
    if not 1 <= k <= n:
        return 0.0, 0.0
    tail = (1.0 - mass) / 2.0
    low, high = beta.ppf((tail, 1.0 - tail), n + 1 - k, k)
    return float(low), float(high)


def allocate(alpha: float, shares: Mapping[str, float], n: int) -> dict[str, float]:
    """Split alpha between detectors that are joined by OR; it depends on n, never on what was measured.

    A detector that n episodes cannot arm at its part gives it to the others, the smallest share first.

    Args:
        alpha: Of all detectors together.
        shares: Positive weight of each detector.
        n: Calibration episodes.

    Returns:
        Each detector's alpha: 0 where it cannot be armed; they sum to alpha, or to 0 when none can be.
    """
    _check_alpha(alpha)
    if not shares or min(shares.values()) <= 0.0:
        raise ValueError(f"shares are {dict(shares)}, expected positive weights of at least one detector")
    sharing = sorted(shares, key=lambda name: -shares[name])
    while sharing:
        total = sum(shares[name] for name in sharing)
        parts = {name: alpha * shares[name] / total for name in sharing}
        if rank(n, parts[sharing[-1]]) <= n:
            return {name: parts.get(name, 0.0) for name in shares}
        sharing.pop()
    return dict.fromkeys(shares, 0.0)
