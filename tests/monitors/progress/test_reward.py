# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulator's reward: what counts as progress."""

import math

import numpy as np
import pytest

from lbm_policy_node.monitors.progress.reward import RewardConfig, trace

S = 1_000_000_000
CONFIG = RewardConfig(window_s=4.0, min_improvement=0.0)


def stamps(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * S


def test_the_score_counts_windows_since_the_last_improvement() -> None:
    scores = trace(stamps(9), np.array([1.0, 2, 2, 1, 2, 2, 2, 3, 3]), CONFIG)
    assert scores.tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1.25, 0, 0.25]


def test_small_improvements_count_once_they_add_up() -> None:
    rising = np.arange(9) * 0.4
    scores = trace(stamps(9), rising, RewardConfig(window_s=4.0, min_improvement=1.0))
    assert scores.tolist() == [0, 0.25, 0.5, 0, 0.25, 0.5, 0, 0.25, 0.5]


def test_a_done_task_may_rest_and_be_undone() -> None:
    rewards = np.array([1.0, 10, 10, 10, 10, 10, 10, 3, 3, 3, 3, 3])
    scores = trace(stamps(12), rewards, RewardConfig(4.0, 0.0, done_reward=10.0))
    assert scores.tolist() == [0] * 7 + [0.25, 0.5, 0.75, 1, 1.25]


def test_recorded_stamps_that_go_back_are_refused() -> None:
    with pytest.raises(ValueError, match="the stamp 0 ns lies before the last one, 1000000000 ns"):
        trace(stamps(2)[::-1], np.zeros(2), CONFIG)
    with pytest.raises(ValueError, match=r"stamps \(2,\) and rewards \(3,\)"):
        trace(stamps(2), np.zeros(3), CONFIG)


def test_a_reward_that_is_not_finite_has_no_score_and_is_no_progress() -> None:
    scores = trace(stamps(4), np.array([1.0, math.nan, math.inf, 1.0]), CONFIG)
    assert np.array_equal(scores, [0, math.nan, math.nan, 0.75], equal_nan=True)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0.0,), "window_s is 0.0"),
        ((1.0, -1.0), "min_improvement is -1"),
        ((1, 0, math.nan), "done_reward"),
    ],
)
def test_an_impossible_configuration_is_refused(values: tuple[float, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RewardConfig(*values)
