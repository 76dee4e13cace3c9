# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The running statistics by their definitions, and the standardisation's refusal of a constant score."""

import numpy as np
import pytest

from lbm_policy_node.monitors.statistics import (
    STATISTICS,
    ConstantScoreError,
    Standardisation,
    fit_standardisation,
    make_statistic,
    trace,
)

Z = np.random.default_rng(0).normal(0.3, 1.0, 37)


def test_cusum_is_the_sum_since_its_last_zero():
    walk = np.concatenate([[0.0], np.cumsum(Z - 0.5)])
    expected = (walk - np.minimum.accumulate(walk))[1:]
    np.testing.assert_allclose(trace("cusum", Z), expected, atol=1e-12)


def test_window_is_the_mean_of_the_last_ten():
    expected = [Z[max(0, i - 9) : i + 1].mean() for i in range(len(Z))]
    np.testing.assert_allclose(trace("window", Z), expected)


def test_max_and_cumulative_follow_numpy():
    np.testing.assert_array_equal(trace("max", Z), np.maximum.accumulate(Z))
    np.testing.assert_allclose(trace("cumulative", Z), np.cumsum(Z))


@pytest.mark.parametrize("name", STATISTICS)
def test_reset_forgets_the_episode_before(name):
    statistic = make_statistic(name)
    first = [statistic.update(z) for z in Z]
    statistic.reset()
    assert [statistic.update(z) for z in Z] == first
    assert trace(name, []).shape == (0,)


def test_unknown_statistic_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'cumsum' does not exist; there are .*cusum"):
        make_statistic("cumsum")


def test_standardised_scores_have_mean_zero_and_spread_one():
    fitted = fit_standardisation(Z * 7.0 + 3.0, score="energy", statistic="cusum")
    values = [fitted(score) for score in Z * 7.0 + 3.0]
    assert np.mean(values) == pytest.approx(0.0, abs=1e-12)
    assert np.std(values) == pytest.approx(1.0)


def test_cumulative_orders_episodes_as_the_sum_of_the_scores_does():
    fitted = fit_standardisation(Z * 7.0 + 3.0, score="energy", statistic="cumulative")
    scores = np.abs(Z)
    ours = trace("cumulative", [fitted(score) for score in scores])
    np.testing.assert_allclose(ours * fitted.std, np.cumsum(scores))


@pytest.mark.parametrize("value", [0.0, 3.5, 0.1 + 0.2])
def test_constant_score_is_refused_by_name(value):
    with pytest.raises(ConstantScoreError, match=r"'energy' is .* at each of the 50 calibration steps"):
        fit_standardisation(np.full(50, value), score="energy", statistic="cusum")


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.0), (0.0, -1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_impossible_standardisation_is_refused(mean, std):
    with pytest.raises(ValueError, match="expected finite, and std above 0"):
        Standardisation(mean, std)
