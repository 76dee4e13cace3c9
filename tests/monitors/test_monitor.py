# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The monitor on good chunks, on disagreement, and on reports about progress."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest

from helpers.monitor_episodes import COLUMNS, SCALE, calibrated, chunk, episode
from helpers.monitor_runs import BOTH, UNSEEN, WARN_ONLY, clean, levels, run, shaken
from lbm_policy_node.core.types import no_samples
from lbm_policy_node.monitors.calibration.thresholds import DetectorThreshold
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.progress.report import ProgressReport, no_verdict
from lbm_policy_node.monitors.scores.registry import make_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.scoring import ChunkScorer
from lbm_policy_node.monitors.statistics import STATISTICS, trace
from lbm_policy_node.monitors.verdict import Level


def test_clean_episode_is_normal_after_its_first_chunk():
    verdicts = run(Monitor(COLUMNS, BOTH), clean(7))
    assert levels(verdicts) == [Level.WARMING_UP] + [Level.NORMAL] * 6
    last = verdicts[-1]
    assert (last.overlap_steps, last.n_samples, last.calibration_id) == (4, 6, BOTH.id)
    assert last.warn_threshold == BOTH.levels["warn"].threshold("score:energy")
    assert last.warn_threshold < last.stop_threshold < math.inf
    assert last.statistic <= last.warn_threshold
    assert last.detector == "" and last.text.startswith("cusum of energy is")
    assert math.isnan(verdicts[0].score) and math.isnan(verdicts[0].statistic)


def test_disagreement_warns_and_then_stops_and_stays_stopped():
    verdicts = run(Monitor(COLUMNS, BOTH), shaken(5) + clean(12)[5:])
    assert verdicts[0].level is Level.WARMING_UP
    stop = levels(verdicts).index(Level.STOP)
    assert stop <= 3
    assert set(levels(verdicts[stop:])) == {Level.STOP}
    assert verdicts[stop].detector == "score:energy"
    assert "above the STOP threshold" in verdicts[stop].text
    assert "STOP stays until the next episode" in verdicts[-1].text or "above the STOP" in verdicts[-1].text


def test_warn_lies_between_the_thresholds():
    warn, stop = (BOTH.levels[name].threshold(BOTH.detector) for name in ("warn", "stop"))
    seen = set()
    for seed in range(1000, 1040):
        chunks = list(episode(seed, length=8, shift=0.03).chunks)  # too short for the time limit
        for verdict in run(Monitor(COLUMNS, BOTH), chunks):
            seen.add(verdict.level)
            if verdict.level in (Level.NORMAL, Level.WARN):
                assert (verdict.level is Level.WARN) == (verdict.statistic > warn)
            assert not verdict.statistic > stop or verdict.level is Level.STOP
    assert seen == {Level.WARMING_UP, Level.NORMAL, Level.WARN, Level.STOP}


@pytest.mark.parametrize("statistic", STATISTICS)
def test_live_equals_offline_to_the_bit(statistic):
    calibration = calibrated(20, statistic=statistic)
    chunks = list(episode(UNSEEN, length=12, shift=0.05).chunks)
    scorer = ChunkScorer(COLUMNS, SCALE, make_score(calibration.score))
    offline = trace(statistic, [calibration.standardisation(value) for value in scorer.scores(chunks)])
    verdicts = run(Monitor(COLUMNS, calibration), chunks)
    np.testing.assert_array_equal([v.statistic for v in verdicts[1:]], offline)
    np.testing.assert_array_equal([v.score for v in verdicts[1:]], scorer.scores(chunks))


def test_each_episode_starts_again():
    monitor = Monitor(COLUMNS, BOTH)
    first = run(monitor, clean(6))
    assert [(v.level, v.score, v.statistic) for v in run(monitor, clean(6))][1:] == [
        (v.level, v.score, v.statistic) for v in first
    ][1:]


def test_stop_ends_with_the_next_episode():
    monitor = Monitor(COLUMNS, BOTH)
    assert run(monitor, shaken(6))[-1].level is Level.STOP
    assert levels(run(monitor, clean(3))) == [Level.WARMING_UP, Level.NORMAL, Level.NORMAL]


def test_stop_ends_with_a_reset_and_the_reason_is_said():
    monitor = Monitor(COLUMNS, BOTH)
    run(monitor, shaken(6))
    monitor.reset("the operator took over")
    verdicts = run(monitor, clean(9)[6:])
    assert levels(verdicts) == [Level.WARMING_UP, Level.NORMAL, Level.NORMAL]
    assert "the operator took over" in verdicts[0].text


def test_stop_survives_whatever_else_comes():
    monitor = Monitor(COLUMNS, BOTH)
    run(monitor, shaken(6))
    later = clean(12)[6:]
    later[0] = dataclasses.replace(later[0], samples=no_samples(8, 3))
    later[1] = dataclasses.replace(later[1], samples=np.full((6, 8, 3), np.nan))
    later[2] = dataclasses.replace(later[2], checkpoint_id="ffff")
    later[3] = dataclasses.replace(later[3], stochastic=False)
    verdicts = run(monitor, later)
    assert set(levels(verdicts)) == {Level.STOP}
    assert all(v.detector == "score:energy" for v in verdicts)
    assert "NOT_APPLICABLE" in verdicts[0].text and "FAULT" in verdicts[1].text
    assert "UNCALIBRATED: the calibration is not for this policy: checkpoint is ffff" in verdicts[2].text


def test_changed_instruction_begins_an_episode():
    monitor = Monitor(COLUMNS, BOTH)
    run(monitor, shaken(6))
    verdict = monitor.update(dataclasses.replace(clean(7)[6], instruction="close the door"))
    assert verdict.level is Level.WARMING_UP and "instruction changed" in verdict.text


def test_joined_midway_it_may_warn_but_gives_no_all_clear():
    monitor = Monitor(COLUMNS, BOTH)
    verdicts = run(monitor, clean(9)[3:])
    assert set(levels(verdicts)) == {Level.WARMING_UP}
    assert "joined at chunk 3" in verdicts[0].text and "no all-clear" in verdicts[-1].text
    assert Level.STOP in levels(run(Monitor(COLUMNS, BOTH), shaken(9)[3:]))
    assert levels(run(monitor, clean(2))) == [Level.WARMING_UP, Level.NORMAL]


def test_run_whose_first_chunk_was_lost_is_joined_midway():
    monitor = Monitor(COLUMNS, BOTH)
    run(monitor, clean(6))
    new = [chunk(n, seed=UNSEEN, index=n - 6) for n in range(7, 10)]
    verdicts = run(monitor, new)
    assert set(levels(verdicts)) == {Level.WARMING_UP}
    assert "chunks before number 1 are missing" in verdicts[0].text


def test_time_limit_stops_when_it_is_armed_to():
    threshold = DetectorThreshold(0.02, 49, 1.0, (0.001, 0.06))
    stop = dataclasses.replace(
        BOTH.levels["stop"], detectors={**BOTH.levels["stop"].detectors, "time_limit": threshold}
    )
    calibration = dataclasses.replace(BOTH, levels={**BOTH.levels, "stop": stop})
    verdicts = run(Monitor(COLUMNS, calibration), clean(8))
    assert levels(verdicts[:6]) == [Level.WARMING_UP] + [Level.NORMAL] * 5  # at 1.0 s it is not above
    assert {(v.level, v.detector) for v in verdicts[6:]} == {(Level.STOP, "time_limit")}


def test_nothing_is_known_without_a_calibration():
    verdicts = run(Monitor(COLUMNS, None), clean(4))
    assert set(levels(verdicts)) == {Level.UNCALIBRATED}
    assert "lbm calibrate" in verdicts[-1].text
    assert verdicts[-1].score >= 0.0 and math.isnan(verdicts[-1].statistic)
    assert math.isnan(verdicts[-1].warn_threshold) and verdicts[-1].calibration_id == ""


def test_level_that_is_not_armed_is_said():
    verdict = run(Monitor(COLUMNS, WARN_ONLY), clean(3))[-1]
    assert verdict.level is Level.NORMAL
    assert "STOP is not armed: 20 successes, 49 are needed" in verdict.text
    assert verdict.stop_threshold == math.inf
    assert set(levels(run(Monitor(COLUMNS, WARN_ONLY), shaken(8))[2:])) == {Level.WARN}


def test_calibration_of_too_few_successes_gives_no_all_clear():
    verdicts = run(Monitor(COLUMNS, calibrated(8)), clean(3))
    assert set(levels(verdicts)) == {Level.UNCALIBRATED}
    assert "WARN is not armed: 8 successes, 9 are needed" in verdicts[-1].text
    assert verdicts[-1].statistic >= 0.0, "the number is there all the same"


def test_guided_chunks_are_judged_by_their_samples_alone():
    plain = run(Monitor(COLUMNS, BOTH), clean(5))
    guided = run(Monitor(COLUMNS, BOTH), clean(5, guided=True, actions=np.zeros((8, 3))))
    assert levels(guided) == levels(plain)
    np.testing.assert_allclose([v.score for v in guided], [v.score for v in plain], atol=1e-12)


def test_minimum_distance_does_not_apply_to_guided_chunks():
    calibration = calibrated(20, score=ScoreConfig("min_distance"))
    assert run(Monitor(COLUMNS, calibration), clean(3))[-1].level is Level.NORMAL
    verdict = run(Monitor(COLUMNS, calibration), clean(3, guided=True))[-1]
    assert verdict.level is Level.NOT_APPLICABLE and "made consistent on purpose" in verdict.text


def test_calibration_for_other_columns_is_refused_at_once():
    with pytest.raises(ValueError, match=r"compares \['x', 'y'\], the robot \['x'\]"):
        Monitor(ScoredColumns(("x",), (0,)), BOTH)


def _report(number: int, **changes) -> ProgressReport:
    values = dict(
        stamp_ns=clean(number + 1)[number].observation_stamp_ns,
        failed=True,
        score=5.0,
        detector="vlm",
        text="the door is closed",
    )
    return ProgressReport(**{**values, **changes})


def test_uncalibrated_progress_detector_warns_and_never_stops():
    monitor, chunks = Monitor(COLUMNS, BOTH), clean(6)
    run(monitor, chunks[:3])
    monitor.on_progress(_report(1, score=1e9))
    verdict = monitor.update(chunks[3])
    assert (verdict.level, verdict.detector) == (Level.WARN, "progress:vlm")
    assert "the door is closed" in verdict.text and "never stops" in verdict.text
    monitor.on_progress(_report(0))
    monitor.on_progress(_report(2, failed=False, score=0.0))
    assert monitor.update(chunks[4]).level is Level.NORMAL, "the newest report counts"


def test_progress_report_without_a_verdict_is_no_all_clear_and_is_said():
    monitor, chunks = Monitor(COLUMNS, BOTH), clean(4)
    run(monitor, chunks[:3])
    monitor.on_progress(no_verdict(chunks[2].observation_stamp_ns, "vlm", "no answer within 5 s"))
    verdict = monitor.update(chunks[3])
    assert verdict.level is Level.NORMAL and "progress:vlm: no answer within 5 s" in verdict.text


def test_progress_report_about_an_earlier_episode_is_ignored():
    monitor, chunks = Monitor(COLUMNS, BOTH), clean(8)
    monitor.on_progress(_report(0))
    run(monitor, chunks[:3])
    monitor.reset("the operator took over")
    monitor.on_progress(_report(2))
    run(monitor, chunks[4:5])
    monitor.on_progress(_report(2))
    assert monitor.update(chunks[5]).level is Level.NORMAL


def test_calibrated_progress_detector_goes_by_its_thresholds():
    levels_ = {
        name: dataclasses.replace(
            level,
            detectors={**level.detectors, "progress:vlm": DetectorThreshold(0.02, 49, limit, (0.0, 0.1))},
        )
        for (name, level), limit in zip(BOTH.levels.items(), (2.0, 4.0), strict=True)
    }
    monitor, chunks = Monitor(COLUMNS, dataclasses.replace(BOTH, levels=levels_)), clean(6)
    run(monitor, chunks[:2])
    expected = ((1.0, Level.NORMAL), (3.0, Level.WARN), (4.5, Level.STOP))
    for number, (score, level) in enumerate(expected, start=2):
        monitor.on_progress(_report(number, score=score))
        assert monitor.update(chunks[number]).level is level


@pytest.mark.slow
def test_default_monitor_needs_neither_torch_nor_scipy():
    program = (
        "import sys; import lbm_policy_node.monitors.monitor as m, numpy as np;"
        "from lbm_policy_node.monitors.columns import ScoredColumns;"
        "m.Monitor(ScoredColumns(('x',), (0,)), None);"
        "sys.exit(str({'torch', 'scipy'} & set(sys.modules) or ''))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stderr == "\n"
