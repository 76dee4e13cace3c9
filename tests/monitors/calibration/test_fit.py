# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration by an independent route, what it leaves out, and how often it alarms on fresh successes."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest

from helpers.monitor_episodes import (
    CHECKPOINT,
    COLUMNS,
    EXECUTED,
    SCALE,
    STEP_NS,
    calibrated,
    chunk,
    episode,
    episodes,
)
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import no_samples
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.fit import (
    CalibrationConfig,
    FitError,
    calibrate,
    default_shares,
    fit_level,
)
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.pair import make_pair
from lbm_policy_node.monitors.scores.registry import make_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.scoring import ChunkScorer
from lbm_policy_node.monitors.statistics import ConstantScoreError, fit_standardisation, trace
from lbm_policy_node.monitors.verdict import Level


def fit(given: list[ChunkEpisode], config: CalibrationConfig | None = None, **changes) -> Calibration:
    return calibrate(
        given,
        config or CalibrationConfig(),
        columns=COLUMNS,
        scale=SCALE,
        checkpoint_id=CHECKPOINT,
        source="test",
        date="today",
        **changes,
    )


def test_thresholds_by_an_independent_route():
    calibration = calibrated(60)
    used = [each.until_success() for each in episodes(60)]
    pairs = [[make_pair(a, b, COLUMNS, SCALE) for a, b in pairwise(chunks)] for chunks in used]
    floor = np.median([pair.median_squared_distance for each in pairs for pair in each])
    assert calibration.score == ScoreConfig("energy", float(floor))
    score = make_score(calibration.score)
    scores = [[score(pair) for pair in each] for each in pairs]
    mean, std = np.mean(np.concatenate(scores)), np.std(np.concatenate(scores))
    maxima = []
    for each in scores:
        walk = np.concatenate([[0.0], np.cumsum((np.array(each) - mean) / std - 0.5)])
        maxima.append((walk - np.minimum.accumulate(walk))[1:].max())
    durations = [(len(chunks) - 1) * EXECUTED * STEP_NS * 1e-9 for chunks in used]
    warn, stop = calibration.levels["warn"].detectors, calibration.levels["stop"].detectors
    assert warn["score:energy"].threshold == pytest.approx(sorted(maxima)[57 - 1])  # ceil(61 * 0.92)
    assert warn["time_limit"].threshold == pytest.approx(max(durations))  # ceil(61 * 0.98) = 60
    assert stop["score:energy"].threshold == pytest.approx(max(maxima))
    assert not stop["time_limit"].armed
    assert calibration.episodes.used == 60 and calibration.layout.n_samples == 6


@pytest.mark.parametrize(
    ("n", "warn", "stop"), [(8, False, False), (9, True, False), (48, True, False), (49, True, True)]
)
def test_level_is_armed_from_its_number_of_successes_on(n, warn, stop):
    levels = calibrated(n).levels
    assert (levels["warn"].armed, levels["stop"].armed) == (warn, stop)
    assert levels["stop"].episodes_needed == 49


def test_floor_that_is_given_is_kept():
    assert calibrated(9, score=ScoreConfig("energy", 3.5)).score.bandwidth_floor == 3.5


def test_chunks_after_the_success_count_only_on_request():
    until, end = calibrated(20), calibrated(20, until="end")
    longer = end.levels["warn"].threshold("time_limit"), until.levels["warn"].threshold("time_limit")
    assert longer == (math.inf, math.inf), "20 successes do not arm a fifth of 0.10"
    until, end = calibrated(50), calibrated(50, until="end")
    assert end.levels["warn"].threshold("time_limit") == pytest.approx(
        until.levels["warn"].threshold("time_limit") + 2 * EXECUTED * STEP_NS * 1e-9
    )


def _spoiled(seed: int, place: int, **changes) -> ChunkEpisode:
    whole = episode(seed, length=9)
    chunks = list(whole.chunks)
    chunks[place] = dataclasses.replace(chunks[place], **changes)
    return dataclasses.replace(whole, chunks=tuple(chunks))


UNUSABLE = {
    "too short: 1 chunks until it ends": episode(101, length=3),
    "foreign: checkpoint is ff, expected 0123": episode(102, checkpoint_id="ff"),
    "K is 3 samples, expected 6 samples as in most episodes": episode(103, n_samples=3),
    "execution horizon is 2 rows": episode(104, execution_horizon=2),
    "step is 0.1 s": episode(105, step_ns=2 * STEP_NS),
    "chunk 1: the policy is deterministic": episode(106, stochastic=False),
    "chunk 1: energy needs 2 samples": episode(107, n_samples=1),
    "chunk 3: the chunk carries no unguided samples": _spoiled(108, 2, samples=no_samples(8, 3)),
    "chunk 3: the chunk has values that are not finite": _spoiled(109, 2, samples=np.full((6, 8, 3), np.nan)),
    "interrupted before chunk 4": _spoiled(110, 3, index=0),
    "interrupted before chunk 5": _spoiled(111, 4, instruction="close the door"),
    "begins in the middle of a run, with chunk 2": dataclasses.replace(
        episode(112), chunks=tuple(chunk(n, seed=112) for n in range(2, 9))
    ),
    "chunk 4 starts at": _spoiled(113, 3, start_ns=chunk(30).start_ns),
    "is no action": _spoiled(114, 3, samples=np.full((6, 8, 3), 1e300)),
    "another episode has the same name": episode(0),
}


def test_every_episode_that_is_left_out_is_named_with_its_reason():
    failed = [episode(200, success=False), episode(201, success=False, checkpoint_id="ff")]
    calibration = fit(episodes(20) + failed + list(UNUSABLE.values()))
    counts = calibration.episodes
    assert counts.used == 20
    assert counts.failed == ("door-200", "door-201")
    reasons = dict(counts.unusable)
    assert len(counts.unusable) == len(UNUSABLE)
    for text, spoiled in UNUSABLE.items():
        assert text in reasons[spoiled.episode_id]
    assert calibration.levels == fit(episodes(20)).levels, "what is left out changes nothing"


def test_nothing_usable_is_refused_with_all_reasons():
    with pytest.raises(FitError, match=r"1 failed, 1 unusable\n- door-102: foreign"):
        fit([episode(1, success=False), episode(102, checkpoint_id="ff")])
    with pytest.raises(FitError, match="no episode can calibrate: 0 failed, 0 unusable"):
        fit([])


def test_constant_score_is_refused_by_name():
    still = [
        dataclasses.replace(
            each, chunks=tuple(dataclasses.replace(c, samples=np.zeros((6, 8, 3))) for c in each.chunks)
        )
        for each in episodes(10)
    ]
    with pytest.raises(ConstantScoreError, match="score 'energy' is 0 at each of"):
        fit(still)


def test_progress_detector_takes_its_share_from_the_score():
    given = episodes(60)
    largest = {each.episode_id: float(i) for i, each in enumerate(given)}
    del largest["door-7"]
    calibration = fit(given, progress={"reward": largest})
    warn = calibration.levels["warn"].detectors
    assert {name: round(entry.alpha, 6) for name, entry in warn.items()} == {
        "score:energy": 0.06,
        "time_limit": 0.02,
        "progress:reward": 0.02,
    }
    assert warn["progress:reward"].threshold == 59.0  # the largest of 59, as ceil(60 * 0.98) = 59
    assert calibration.episodes.unusable == (
        ("door-7", "it has no finite score of the progress detector 'reward'"),
    )


def test_several_progress_detectors_share():
    shares = default_shares(["score:energy", "time_limit", "progress:a", "progress:b"])
    assert shares == pytest.approx(
        {"score:energy": 0.6, "time_limit": 0.2, "progress:a": 0.1, "progress:b": 0.1}
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"statistic": "mean"}, "statistic is 'mean'"),
        ({"until": "never"}, "until is 'never'"),
        ({"stop_alpha": 0.2}, "0 < stop_alpha <= warn_alpha < 1"),
        ({"stop_alpha": 0.0}, "0 < stop_alpha <= warn_alpha < 1"),
    ],
)
def test_impossible_choice_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CalibrationConfig(**changes)


@pytest.mark.slow
def test_fresh_successes_alarm_as_rarely_as_alpha_says():
    """Mean, spread and both thresholds learned from 50 of 400 episodes, then one that had no part in it."""
    pool = [each.until_success() for each in episodes(400, first_seed=2000)]
    scorer = ChunkScorer(COLUMNS, SCALE, make_score(calibrated(50).score))
    scores = [scorer.scores(chunks) for chunks in pool]
    lengths = np.array([len(chunks) for chunks in pool], float)
    random = np.random.default_rng(0)
    by_score, by_any, trials, n = 0, 0, 800, 50
    for _ in range(trials):
        drawn = random.permutation(len(pool))[: n + 1]
        known = np.concatenate([scores[i] for i in drawn[:n]])
        scaling = fit_standardisation(known, score="energy", statistic="cusum")
        peaks = [trace("cusum", [scaling(value) for value in scores[i]]).max() for i in drawn]
        times = lengths[drawn].tolist()
        level = fit_level(0.1, {"score:energy": peaks[:n], "time_limit": times[:n]})
        by_score += peaks[n] > level.threshold("score:energy")
        by_any += peaks[n] > level.threshold("score:energy") or times[n] > level.threshold("time_limit")
    interval = binomtest(by_score, trials).proportion_ci(0.99, method="exact")
    assert interval.low <= 4 / 51 <= interval.high, "k = 47 of 50 at four fifths of 0.1"
    assert binomtest(by_any, trials).proportion_ci(0.99, method="exact").low <= 0.1


def test_calibration_episodes_alarm_as_their_ranks_say():
    calibration = calibrated(60)
    stopped = warned = 0
    for each in episodes(60):
        monitor = Monitor(COLUMNS, calibration)
        seen = {v.level for v in (monitor.update(c) for c in each.until_success())}
        stopped += Level.STOP in seen
        warned += Level.WARN in seen
        assert Level.UNCALIBRATED not in seen and Level.FAULT not in seen
    assert (stopped, warned) == (0, 3), "above the 57th of 60: 3; above the 60th: none"
