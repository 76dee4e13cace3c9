# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Success rates with their uncertainty."""

from __future__ import annotations

from scipy import stats


def beta_interval(successes: int, episodes: int, *, mass: float = 0.95) -> tuple[float, float]:
    """Central interval of the posterior Beta(1 + s, 1 + n - s) of a success rate (uniform prior;
    arXiv:2507.05331).

    Raises:
        ValueError: If the counts are impossible.
    """
    if not 0 <= successes <= episodes:
        raise ValueError(f"{successes} successes of {episodes} episodes")
    posterior = stats.beta(1 + successes, 1 + episodes - successes)
    low, high = posterior.interval(mass)
    return float(low), float(high)
