# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Held-out halves: alarms are what a second computation says, and false alarms keep to alpha."""

from math import ceil, inf, isnan, nan

import numpy as np
import pytest

from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode
from lbm_policy_node.assessment.recorded_scores.splits import (
    DETECTORS,
    Split,
    evaluate,
    half_splits,
    mean_and_range,
)
from lbm_policy_node.assessment.traces import KINDS, traces


def _episode(name: int, success: bool, replans: int, random, shift: float = 0.0, **kwargs) -> ScoredEpisode:
    return ScoredEpisode(str(name), "door", success, random.normal(shift, 1, replans), **kwargs)


def test_a_trace_has_a_value_per_replan_and_none_before_the_first_comparison(recorded):
    done = [episode for episode in recorded if episode.success]
    for kind in KINDS:
        for episode, trace in zip(recorded, traces(kind, recorded, done), strict=True):
            assert trace.shape == (episode.replans,)
            assert trace[0] == (1 if kind == "elapsed" else -inf)
            assert np.isfinite(trace[1:]).all()


def test_cumulative_is_the_plain_sum_up_to_a_factor(recorded):
    trace = traces("cumulative", recorded, recorded)[0]
    assert np.cumsum(recorded[0].compared) / trace[1:] == pytest.approx(
        np.full(len(trace) - 1, recorded[0].compared[0] / trace[1])
    )


def test_the_placeholder_of_the_first_replan_changes_nothing():
    random = np.random.default_rng(0)
    episodes = [_episode(i, True, 9, random) for i in range(5)]
    moved = [ScoredEpisode(e.episode_id, e.group, True, np.array([1e9, *e.compared])) for e in episodes]
    for kind in KINDS:
        assert np.array_equal(traces(kind, episodes, episodes), traces(kind, moved, moved))


def test_nothing_to_standardise_with_is_said():
    short = [ScoredEpisode("0", "door", True, np.zeros(1))]
    with pytest.raises(ValueError, match="no success has a second replan"):
        traces("cusum", short, short)
    assert traces("elapsed", short, [])[0].tolist() == [1.0]


def test_outcomes_agree_with_plain_loops(recorded):
    splits = half_splits(recorded, 4, seed=5)
    found = evaluate(splits, DETECTORS, [0.1])[0.1]
    for number, split in enumerate(splits):
        steps = np.concatenate([episode.compared for episode in split.calibration])
        n = len(split.calibration)
        levels = {
            "elapsed": sorted(e.replans for e in split.calibration)[ceil((n + 1) * 0.95) - 1],
            "cusum": sorted(max(_cusum(e, steps)) for e in split.calibration)[ceil((n + 1) * 0.95) - 1],
        }
        flagged = failures = false_alarms = early = 0
        for episode in split.test:
            alarms = [i + 1 for i, level in enumerate(_cusum(episode, steps)) if level > levels["cusum"]]
            alarms += [i for i in range(episode.replans) if i + 1 > levels["elapsed"]]
            failures += not episode.success
            flagged += bool(alarms) and not episode.success
            false_alarms += bool(alarms) and episode.success
            early += bool(alarms) and not episode.success and min(alarms) < 52  # half of 104
        outcome = found["cusum .5 or elapsed .5"][number]
        assert outcome.tpr == pytest.approx(flagged / failures)
        assert outcome.tnr == pytest.approx(1 - false_alarms / (len(split.test) - failures))
        assert outcome.early == pytest.approx(early / failures)


def _cusum(episode, steps):
    levels, level = [], 0.0
    for score in episode.compared:
        level = max(0.0, level + (score - steps.mean()) / steps.std() - 0.5)
        levels.append(level)
    return levels


def test_false_alarms_keep_to_alpha_for_every_detector():
    random = np.random.default_rng(1)
    episodes = [_episode(i, i >= 20, int(random.integers(8, 20)), random, 0.5 * (i < 20)) for i in range(240)]
    for name, outcomes in evaluate(half_splits(episodes, 40, seed=2), DETECTORS, [0.1])[0.1].items():
        assert 0.87 <= np.mean([one.tnr for one in outcomes]) <= 0.99, name


def test_too_few_successes_arm_nothing():
    random = np.random.default_rng(3)
    episodes = [_episode(i, i % 3 > 0, 6, random, 9.0 * (i % 3 == 0)) for i in range(12)]
    for outcomes in evaluate(half_splits(episodes, 5), DETECTORS, [0.05])[0.05].values():
        assert [one.tnr for one in outcomes] == [1.0] * 5
        assert {one.early for one in outcomes} <= {0.0}


def test_halves_keep_clusters_whole_and_calibrate_on_successes_only():
    random = np.random.default_rng(4)
    episodes = [_episode(i, i % 2 == 0, 5, random, seed=str(i // 4)) for i in range(40)]
    splits = half_splits(episodes, 6)
    for split in splits:
        assert all(episode.success for episode in split.calibration)
        assert not {e.cluster for e in split.calibration} & {e.cluster for e in split.test}
        assert len(split.test) == 20
    assert len({tuple(e.episode_id for e in split.test) for split in splits}) > 1
    with pytest.raises(ValueError, match="splits is 0"):
        half_splits(episodes, 0)


def test_an_alarm_at_half_the_limit_is_not_early():
    random = np.random.default_rng(6)
    calibration = [_episode(i, True, 5, random) for i in range(30)]
    late = ScoredEpisode("late", "door", False, np.zeros(20))
    for half, early in ((5, 0.0), (6, 1.0)):
        outcome = evaluate([Split(calibration, [late], [half])], {"clock": {"elapsed": 1.0}}, [0.1])[0.1]
        assert outcome["clock"][0].tpr == 1.0
        assert outcome["clock"][0].early == early  # the alarm comes at replan 5, the sixth


def test_mean_over_splits_leaves_undefined_ones_out():
    assert mean_and_range([0.2, nan, 0.4])[0] == pytest.approx(0.3)
    assert all(map(isnan, mean_and_range([nan])))
