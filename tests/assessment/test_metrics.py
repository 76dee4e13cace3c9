# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of merit agree with independent computations."""

from math import comb, inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lbm_policy_node.assessment.metrics import Share, auroc, clopper_pearson, mcnemar_exact, rates

LABELLED = st.lists(
    st.tuples(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6)), st.booleans()), min_size=2
).filter(lambda rows: len({failed for _, failed in rows}) == 2)
PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


@given(LABELLED)
def test_auroc_agrees_with_scikit_learn_also_with_ties(rows):
    scores, failed = map(np.array, zip(*rows, strict=True))
    assert auroc(scores, failed) == pytest.approx(roc_auc_score(failed, scores), abs=1e-12)


def test_auroc_of_one_class_is_undefined_and_of_equal_scores_a_half():
    assert isnan(auroc(np.array([1.0, 2.0]), np.array([True, True])))
    assert isnan(auroc(np.array([]), np.array([])))
    assert auroc(np.full(4, -inf), np.array([True, False, False, True])) == 0.5


def test_auroc_refuses_what_it_cannot_rank():
    with pytest.raises(ValueError, match="episode 1 is NaN"):
        auroc(np.array([1.0, nan]), np.array([True, False]))
    with pytest.raises(ValueError, match=r"\(2,\) and labels \(1,\)"):
        auroc(np.array([1.0, 2.0]), np.array([True]))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_exact_interval_agrees_with_the_beta_quantiles(count_total):
    count, total = count_total
    low, high = clopper_pearson(count, total)
    assert low == pytest.approx(beta.ppf(0.025, count, total - count + 1) if count else 0.0, abs=1e-7)
    assert high == pytest.approx(
        beta.ppf(0.975, count + 1, total - count) if count < total else 1.0, abs=1e-7
    )


def test_exact_interval_covers_at_least_its_mass():
    total, rate = 30, 0.07
    intervals = [clopper_pearson(count, total) for count in range(total + 1)]
    covered = sum(binom.pmf(k, total, rate) for k, (low, high) in enumerate(intervals) if low <= rate <= high)
    assert 0.95 <= covered < 1


def test_a_share_of_nothing_is_undefined_and_its_interval_says_nothing():
    assert isnan(Share(0, 0).rate)
    assert Share(0, 0).interval() == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        Share(3, 2)


@given(PAIRS.filter(lambda rows: len({failed for _, failed in rows}) == 2))
def test_rates_agree_with_scikit_learn(rows):
    alarmed, failed = map(np.array, zip(*rows, strict=True))
    counted = rates(alarmed, failed)
    assert counted.balanced_accuracy == pytest.approx(balanced_accuracy_score(failed, alarmed))
    assert counted.false_alarms.rate == pytest.approx(1 - counted.tnr)


@given(PAIRS)
def test_mcnemar_agrees_with_counting_the_outcomes_by_hand(rows):
    first, second = np.array([a for a, _ in rows], bool), np.array([b for _, b in rows], bool)
    result = mcnemar_exact(first, second)
    n = result.only_first + result.only_second
    tail = sum(comb(n, k) for k in range(min(result.only_first, result.only_second) + 1)) / 2**n
    assert result.p_value == pytest.approx(min(1.0, 2 * tail), abs=1e-12)
    assert n == int((first != second).sum())
