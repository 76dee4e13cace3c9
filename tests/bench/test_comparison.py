# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of a benchmark are judged by their quantiles."""

from lbm_policy_node.bench.comparison import TakeoverDelay, compare


def test_the_delay_of_a_takeover_is_judged_at_both_quantiles() -> None:
    assert TakeoverDelay.of([15.0] * 98 + [45.0] * 2).met
    assert not TakeoverDelay.of([25.0] * 100).met
    assert not TakeoverDelay.of([5.0] * 98 + [60.0] * 2).met


def test_targets_are_judged_by_their_quantile() -> None:
    ours, bare = [1.0] * 90 + [50.0] * 10, [1.0] * 90 + [10.0] * 10
    assert compare("x", ours, bare, target=1.5, quantile="median").met
    assert not compare("x", ours, bare, target=1.5, quantile="p99").met
