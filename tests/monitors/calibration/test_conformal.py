# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The conformal threshold by simulation, its range against an independent route, and the split of alpha."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from lbm_policy_node.monitors.calibration.conformal import (
    allocate,
    episodes_needed,
    false_alarm_range,
    rank,
    threshold,
)
from lbm_policy_node.monitors.statistics import trace


def _maxima(random: np.random.Generator, episodes: int, statistic: str = "cusum") -> np.ndarray:
    """The largest value of a statistic in episodes of 8 to 39 steps with dependent, skewed scores."""
    maxima = []
    for _ in range(episodes):
        level = random.normal(0.0, 0.5)  # steps of one episode share a level
        scores = random.gamma(2.0, 1.0, random.integers(8, 40)) - 2.0 + level
        maxima.append(trace(statistic, scores).max())
    return np.array(maxima)


@pytest.mark.parametrize(("n", "alpha"), [(19, 0.05), (50, 0.05), (100, 0.05), (50, 0.10), (50, 0.02)])
def test_held_out_false_alarm_rate_lies_in_its_exact_interval(n, alpha):
    random = np.random.default_rng(n)
    pool = _maxima(random, 4000)
    alarms, trials = 0, 3000
    for _ in range(trials):  # one fresh success per calibration, so that the trials are independent
        drawn = random.permutation(len(pool))[: n + 1]
        alarms += pool[drawn[n]] > threshold(pool[drawn[:n]], alpha)
    expected = (n + 1 - rank(n, alpha)) / (n + 1)
    interval = binomtest(int(alarms), trials).proportion_ci(0.99, method="exact")
    assert interval.low <= expected <= interval.high
    assert expected <= alpha + 1e-12


@pytest.mark.parametrize("n", [19, 50, 100])
def test_plain_quantile_alarms_more_often_than_the_rank(n):
    values = np.sort(np.random.default_rng(0).normal(size=n))
    assert np.quantile(values, 0.95) < threshold(values, 0.05)


@pytest.mark.parametrize(
    ("n", "alpha", "expected"),
    [
        (19, 0.05, 19),
        (18, 0.05, 19),
        (49, 0.02, 49),
        (48, 0.02, 49),
        (9, 0.1, 9),
        (50, 0.1, 46),
        (99, 0.01, 99),
    ],
)
def test_rank_survives_floats_that_are_not_exact(n, alpha, expected):
    assert rank(n, alpha) == expected


@given(st.fractions(min_value="1/400", max_value="1/2", max_denominator=10_000), st.integers(0, 500))
def test_rank_equals_its_exact_definition(alpha, n):
    assert rank(n, float(alpha)) == math.ceil((n + 1) * (1 - alpha))


def test_too_few_episodes_give_an_infinite_threshold():
    assert threshold(np.arange(48.0), 0.02) == math.inf
    assert threshold(np.arange(49.0), 0.02) == 48.0
    assert threshold([], 0.5) == math.inf


@pytest.mark.parametrize(("alpha", "needed"), [(0.02, 49), (0.1, 9), (0.05, 19), (0.016, 62), (0.3, 3)])
def test_episodes_needed_is_the_first_number_that_arms(alpha, needed):
    assert episodes_needed(alpha) == needed
    assert rank(needed, alpha) <= needed
    assert rank(needed - 1, alpha) > needed - 1


@pytest.mark.parametrize("alpha", [-0.1, 1.0, float("nan")])
def test_impossible_alpha_is_refused(alpha):
    with pytest.raises(ValueError, match="expected at least 0 and below 1"):
        rank(10, alpha)


@pytest.mark.parametrize(("n", "alpha"), [(19, 0.05), (50, 0.05), (100, 0.02), (500, 0.1)])
def test_false_alarm_range_agrees_with_binomial_tails(n, alpha):
    # The k-th smallest of n uniform values is above 1 - p when fewer than k of them are below 1 - p.
    low, high = false_alarm_range(n, alpha)
    k = rank(n, alpha)
    assert binom.cdf(k - 1, n, 1.0 - low) == pytest.approx(0.05, abs=1e-9)
    assert binom.cdf(k - 1, n, 1.0 - high) == pytest.approx(0.95, abs=1e-9)


@pytest.mark.parametrize(("n", "alpha"), [(19, 0.05), (100, 0.02)])
def test_false_alarm_range_holds_nine_tenths_of_simulated_calibrations(n, alpha):
    random = np.random.default_rng(1)
    achieved = 1.0 - np.array([threshold(random.random(n), alpha) for _ in range(4000)])
    low, high = false_alarm_range(n, alpha)
    inside = int(((low <= achieved) & (achieved <= high)).sum())
    interval = binomtest(inside, 4000).proportion_ci(0.999, method="exact")
    assert interval.low <= 0.9 <= interval.high


def test_unarmed_threshold_never_alarms():
    assert false_alarm_range(48, 0.02) == (0.0, 0.0)


SHARES = st.dictionaries(st.sampled_from("abcde"), st.floats(0.05, 10.0), min_size=1)


@given(SHARES, st.sampled_from([0.02, 0.1, 0.05]), st.integers(0, 2000))
def test_alpha_is_spent_on_detectors_that_can_be_armed_or_not_at_all(shares, alpha, n):
    parts = allocate(alpha, shares, n)
    assert list(parts) == list(shares)
    assert sum(parts.values()) == pytest.approx(alpha) or set(parts.values()) == {0.0}
    for part in parts.values():
        assert part == 0.0 or rank(n, part) <= n
    assert any(parts.values()) == (rank(n, alpha) <= n)


@given(SHARES, st.integers(0, 2000))
def test_larger_share_never_gets_less(shares, n):
    parts = allocate(0.1, shares, n)
    for one in shares:
        for other in shares:
            if shares[one] > shares[other]:
                assert parts[one] >= parts[other]


@pytest.mark.parametrize(
    ("n", "warn", "stop"),
    [
        (8, (0, 0), (0, 0)),
        (48, (0.1, 0), (0, 0)),
        (49, (0.08, 0.02), (0.02, 0)),
        (249, (0.08, 0.02), (0.016, 0.004)),
    ],
)
def test_default_shares_give_way_when_successes_are_few(n, warn, stop):
    shares = {"score": 0.8, "time_limit": 0.2}
    assert tuple(allocate(0.1, shares, n).values()) == pytest.approx(warn)
    assert tuple(allocate(0.02, shares, n).values()) == pytest.approx(stop)


def test_shares_must_be_positive():
    with pytest.raises(ValueError, match="positive weights"):
        allocate(0.1, {"score": 1.0, "time_limit": 0.0}, 50)
