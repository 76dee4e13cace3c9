# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation on episodes whose answer is known."""

import json
from math import nan

import pytest

from helpers.synthetic import CHUNKS, clean_set, episode, failing_set
from lbm_policy_node.assessment.detectors import (
    FIXED_LENGTH,
    MODES,
    UNTIL_SUCCESS,
    AnyOf,
    ElapsedTime,
    ScoreDetector,
)
from lbm_policy_node.assessment.evaluation import TestSet as Data
from lbm_policy_node.assessment.evaluation import at_alpha, by_perturbation, judge, last_recoverable
from lbm_policy_node.assessment.plots import plot_all
from lbm_policy_node.assessment.report import text
from lbm_policy_node.assessment.rescue import compare, rescued
from lbm_policy_node.assessment.summary import Choice, summarise

CUSUM = ScoreDetector("energy_ood", "cusum")


def data(mode: str = UNTIL_SUCCESS) -> Data:
    return Data.of([*clean_set(), *failing_set()], mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_rise_is_found_soon_after_it_began(mode):
    fitted = CUSUM.fitted(data(mode).calibration, mode)
    alarm = fitted.alarm(0.05)
    found = [alarm(e) for e in failing_set()]
    assert None not in found
    assert sum(at in (5, 6, 7) for at in found) >= 18  # the others were false alarms before


@pytest.mark.parametrize("accumulation", ["cusum", "window", "max", "cumulative"])
def test_false_alarms_stay_near_alpha(accumulation):
    row = judge(ScoreDetector("energy_ood", accumulation), data(), (0.10,))["at_alpha"]["0.1"]
    low, high = row["false_alarms_in_distribution"]["interval_95"]
    assert low <= 0.10 <= high
    assert row["false_alarms_in_distribution"]["total"] == 100


def test_elapsed_time_finds_failures_by_their_length_and_nothing_when_lengths_are_matched():
    row = judge(ElapsedTime(), data(), (0.05,))
    assert row["auroc"]["end"]["pooled"] == 1.0
    assert row["auroc"]["time_matched"]["task_mean"] == 0.5
    late = judge(ElapsedTime(), data(FIXED_LENGTH), (0.05,))
    assert late["auroc"]["end"]["pooled"] == 0.5 and late["at_alpha"]["0.05"]["tpr"] == 0.0


def test_flags_count_as_early_before_the_median_success_and_while_recoverable():
    row = judge(CUSUM, data(), (0.05,))["at_alpha"]["0.05"]
    assert row["flagged_before_median_success"]["count"] == 20  # alarms at 5 to 7, the median success is at 8
    assert row["flagged_while_recoverable"]["count"] == 20
    clock = judge(ElapsedTime(), data(), (0.05,))["at_alpha"]["0.05"]
    assert clock["flagged_before_median_success"]["count"] == 0 and clock["flagged_erratic"]["count"] == 20
    assert clock["detection_time"] == pytest.approx(10 / CHUNKS)


def test_the_last_recoverable_chunk():
    assert last_recoverable(failing_set(1)[0]) == 12
    assert last_recoverable(episode(0, success_chunks=None)) == -1


def test_an_or_alarms_with_its_first_part_and_keeps_alpha():
    both = AnyOf("both", {"score": CUSUM, "clock": ElapsedTime()}, {"score": 0.8, "clock": 0.2})
    row = judge(both, data(), (0.05, 0.10))
    assert row["at_alpha"]["0.1"]["tpr"] == 1.0
    low, high = row["at_alpha"]["0.1"]["false_alarms_in_distribution"]["interval_95"]
    assert low <= 0.10 and high >= 0.05


def test_rescue_counts_what_the_expert_can_finish_from_the_alarm():
    failure = failing_set(1)[0]
    assert rescued([failure], [12], in_time=False).tolist() == [True]
    assert rescued([failure], [13], in_time=False).tolist() == [False]
    assert rescued([failure, failure], [None, 3], in_time=True).tolist() == [False, True]
    slow = episode(1, success_chunks=None, expert_until=19)
    assert rescued([slow, slow], [15, 16], in_time=True).tolist() == [True, False]  # 5 chunks are needed
    assert rescued([episode(2)], [3], in_time=False).tolist() == [False]


def test_timely_alarms_save_more_than_random_takeovers_and_than_the_clock():
    everything = data()
    fitted = [d.fitted(everything.calibration, UNTIL_SUCCESS) for d in (CUSUM, ElapsedTime())]
    result = compare(fitted[0].alarm(0.05), fitted[1].alarm(0.05), everything, in_time=False)
    assert result["rescued"] == result["recoverable_failures"] == 20
    assert result["random_rescued_mean"] < 8 and result["mcnemar_random"]["p_value"] < 0.01
    assert result["baseline_rescued"] == 20  # the clock alarms at chunk 10, still in time


def test_without_failures_rates_are_undefined_and_nothing_breaks():
    quiet = Data.of(clean_set(), UNTIL_SUCCESS)
    row = at_alpha(CUSUM.fitted(quiet.calibration, UNTIL_SUCCESS).alarm(0.05), quiet)
    assert row["tpr"] is nan or row["tpr"] != row["tpr"]
    assert row["false_alarms_in_distribution"]["total"] == 100


def test_disturbances_are_listed_by_name():
    everything = data()
    rows = by_perturbation(CUSUM.fitted(everything.calibration, UNTIL_SUCCESS).alarm(0.05), everything)
    assert set(rows) == {"none", "teleport"}
    assert rows["teleport"]["failed"] == rows["teleport"]["flagged"]["count"] == 20
    assert rows["teleport"]["recoverable_at_start"] == 20


@pytest.mark.slow
def test_the_whole_report_is_json_text_and_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr("lbm_policy_node.assessment.summary.RESPLITS", 3)
    monkeypatch.setattr("lbm_policy_node.assessment.summary.RESAMPLES", 20)
    episodes = [*clean_set(), *failing_set()]
    result = {
        "checkpoint_id": "abc", "n_samples": 16, "horizon": 16, "execution_horizon": 4,
        "modes": summarise(episodes, Choice()),
    }  # fmt: skip
    json.dumps(result)
    shown = text(result)
    assert "energy_ood cusum or time limit" in shown and "teleport" in shown and "elapsed time" in shown
    gain = result["modes"]["until_success"]["against"]["elapsed_time"]["time_matched_auroc_task_mean"]
    assert gain["difference"] > 0.3 and gain["interval_95"][0] > 0.0
    paths = plot_all(episodes, CUSUM, ScoreDetector("mmd_median", "cumulative"), result, tmp_path)
    assert [path.stat().st_size > 5000 for path in paths] == [True] * 4
