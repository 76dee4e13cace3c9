# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The reward detector: what counts as progress, and live equal to offline."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from lbm_policy_node.monitors.progress.make import make_progress_detector
from lbm_policy_node.monitors.progress.report import ProgressReport, ProgressSnapshot
from lbm_policy_node.monitors.progress.reward import RewardConfig, RewardDetector, trace

Snapshot = Callable[..., ProgressSnapshot]
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


def test_live_reports_equal_the_trace(snapshot: Snapshot) -> None:
    rewards = np.random.default_rng(0).normal(size=40).cumsum()
    rewards[7] = math.nan
    detector = make_progress_detector(CONFIG)
    live = [judge(detector, snapshot(second, reward=float(r))) for second, r in enumerate(rewards)]
    expected = trace(snapshot().stamp_ns + stamps(40), rewards, CONFIG)
    assert np.array_equal([report.score for report in live], expected, equal_nan=True)
    verdicts = [None if math.isnan(score) else bool(score > 1) for score in expected]
    assert [report.failed for report in live] == verdicts
    assert {True, False, None} == set(verdicts)


def judge(detector: object, moment: ProgressSnapshot) -> ProgressReport:
    assert isinstance(detector, RewardDetector)
    detector.submit(moment)
    report = detector.take()
    assert report is not None and report.stamp_ns == moment.stamp_ns and detector.take() is None
    return report


def test_a_window_without_improvement_is_not_yet_a_failure(snapshot: Snapshot) -> None:
    detector = RewardDetector(RewardConfig(window_s=3.0))
    failed = [judge(detector, snapshot(second, reward=1.0)).failed for second in (0, 3, 3.01)]
    assert failed == [False, False, True]
    assert "unchanged for 3.0 s of 3 s" in judge(detector, snapshot(3.02, reward=1.0)).text


@pytest.mark.parametrize(
    ("reward", "reason"), [(None, "carries no reward"), (math.nan, "the reward is nan"), (math.inf, "is inf")]
)
def test_without_a_usable_reward_there_is_no_verdict(
    snapshot: Snapshot, reward: float | None, reason: str
) -> None:
    report = judge(RewardDetector(CONFIG), snapshot(reward=reward))
    assert report.failed is None and math.isnan(report.score) and reason in report.text


def test_a_clock_that_goes_back_begins_anew_and_says_so(snapshot: Snapshot) -> None:
    detector = RewardDetector(CONFIG)
    judge(detector, snapshot(20, reward=5.0))
    assert "begins anew" in judge(detector, snapshot(10, reward=1.0)).text
    assert judge(detector, snapshot(11, reward=1.0)).score == 0
    assert judge(detector, snapshot(13, reward=1.0)).score == 0.5


def test_reset_forgets_the_best_reward_and_close_ends(snapshot: Snapshot) -> None:
    detector = RewardDetector(CONFIG)
    detector.submit(snapshot(0, reward=9.0))
    detector.reset()
    assert detector.take() is None
    assert judge(detector, snapshot(30, reward=1.0)).score == 0
    detector.close()
    detector.submit(snapshot(31, reward=1.0))
    assert detector.take() is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0.0,), "window_s is 0.0"),
        ((1.0, -1.0), "min_improvement is -1.0"),
        ((1, 0, math.nan), "done_reward"),
    ],
)
def test_an_impossible_configuration_is_refused(values: tuple[float, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RewardConfig(*values)
