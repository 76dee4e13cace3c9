# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Resampling keeps clusters whole and strata filled, and its intervals have the right width."""

from math import isnan, nan

import numpy as np
import pytest

from lbm_policy_node.assessment.bootstrap import cluster_bootstrap


def test_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(0).normal(size=400)
    result = cluster_bootstrap(lambda at: np.mean(values[at]), range(400), resamples=2000)
    half = 1.96 * values.std() / 20
    assert result.interval(0) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.12 * half)


def test_copies_of_an_episode_in_one_cluster_do_not_narrow_the_interval():
    values = np.random.default_rng(1).normal(size=50)
    single = cluster_bootstrap(lambda at: np.mean(values[at]), range(50), resamples=500)
    copied = np.repeat(values, 8)
    clustered = cluster_bootstrap(lambda at: np.mean(copied[at]), [i // 8 for i in range(400)], resamples=500)
    naive = cluster_bootstrap(lambda at: np.mean(copied[at]), range(400), resamples=500)
    assert clustered.interval(0) == pytest.approx(single.interval(0))
    assert np.ptp(naive.interval(0)) < 0.5 * np.ptp(clustered.interval(0))


def test_every_draw_keeps_clusters_whole_and_the_number_per_stratum():
    clusters = ["a", "a", "b", "c", "c", "c", "d"]
    strata = [0, 0, 0, 1, 1, 1, 1]

    def check(at):
        counts = np.bincount(at, minlength=7)
        assert counts[0] == counts[1]
        assert counts[3] == counts[4] == counts[5]
        assert counts[0] + counts[2] == 2
        assert counts[3] + counts[6] == 2
        return 0.0

    cluster_bootstrap(check, clusters, strata=strata, resamples=50)


def test_a_difference_is_paired():
    values = np.random.default_rng(2).normal(size=60)
    result = cluster_bootstrap(lambda at: [v := np.mean(values[at]), v + 0.5], range(60), resamples=200)
    assert result.difference(1, 0) == pytest.approx((0.5, 0.5, 0.5))
    assert np.ptp(result.interval(0)) > 0.3


def test_undefined_resamples_are_left_out_and_all_undefined_is_said():
    result = cluster_bootstrap(lambda at: [1.0 if 0 in at else nan, nan], range(3), resamples=100)
    assert result.interval(0) == (1.0, 1.0)
    assert all(map(isnan, result.interval(1)))


def test_the_same_seed_gives_the_same_draws():
    first, again = (cluster_bootstrap(lambda at: at[:1], range(9), resamples=5, seed=3) for _ in range(2))
    assert first.resampled.tolist() == again.resampled.tolist()


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="resamples is 0"):
        cluster_bootstrap(np.mean, [1], resamples=0)
    with pytest.raises(ValueError, match="0 clusters"):
        cluster_bootstrap(np.mean, [])
    with pytest.raises(ValueError, match="2 clusters and 1 strata"):
        cluster_bootstrap(np.mean, [1, 2], strata=[1])
