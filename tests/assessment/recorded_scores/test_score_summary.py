# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures for public rollouts agree with a second computation: plain loops and scikit-learn."""

import csv
import json
from math import ceil

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lbm_policy_node.assessment.recorded_scores.score_plot import roc
from lbm_policy_node.assessment.recorded_scores.score_summary import SummaryConfig, summarise
from lbm_policy_node.assessment.recorded_scores.score_table import table
from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode

QUICK = SummaryConfig(splits=3, resamples=20)


@pytest.fixture(scope="module")
def summary(recorded):
    return summarise(recorded, [0.05, 0.1], QUICK)


@pytest.fixture(scope="module")
def raw(score_files):
    """Per task: (failed, scores after the first row) of each episode, by nothing of ours."""
    tasks = {}
    for path in score_files:
        episodes: dict[str, tuple[bool, list[float]]] = {}
        with path.open() as file:
            for row in csv.DictReader(file):
                _, scores = episodes.setdefault(row["episode_id"], (row["success"] == "0", []))
                if row["replan"] != "0":
                    scores.append(float(row["chunk_mse"]))
        tasks[path.stem] = list(episodes.values())
    return tasks


def _cusum(scores, mean, std):
    best = level = 0.0
    for score in scores:
        level = max(0.0, level + (score - mean) / std - 0.5)
        best = max(best, level)
    return best


def _height(kind, scores, mean, std):
    if kind == "elapsed":
        return len(scores) + 1
    if kind == "cumulative":
        return sum(scores)
    if kind == "max":
        return max(scores)
    if kind == "window":
        return max(np.mean(scores[max(0, i - 9) : i + 1]) for i in range(len(scores)))
    return _cusum(scores, mean, std)


@pytest.mark.parametrize("kind", ["cumulative", "cusum", "window", "max", "elapsed"])
@pytest.mark.parametrize("cut", ["end", "time_matched", "first_half"])
def test_auroc_agrees_with_plain_loops_and_scikit_learn(summary, raw, cut, kind):
    steps = np.concatenate([scores for task in raw.values() for failed, scores in task if not failed])
    per_task, all_failed, all_heights = {}, [], []
    for name, episodes in raw.items():
        lengths = [len(scores) + 1 for _, scores in episodes]
        at = {"end": 10**6, "time_matched": min(lengths), "first_half": ceil(max(lengths) / 2)}[cut]
        failed = [bad for bad, _ in episodes]
        heights = [_height(kind, scores[: at - 1], steps.mean(), steps.std()) for _, scores in episodes]
        per_task[name] = roc_auc_score(failed, heights)
        all_failed += failed
        all_heights += heights
    entry = summary["auroc"][cut][kind]
    assert entry["tasks"] == pytest.approx(per_task, abs=1e-9)
    assert entry["pooled"]["value"] == pytest.approx(roc_auc_score(all_failed, all_heights), abs=1e-9)
    assert entry["mean_per_task"]["value"] == pytest.approx(np.mean(list(per_task.values())), abs=1e-9)


def test_figures_are_those_in_the_manual(summary):
    # Computed with scikit-learn; docs/monitor-stats.md has them in its table per task.
    found = {
        (cut, kind): [round(value, 3) for value in summary["auroc"][cut][kind]["tasks"].values()]
        for cut, kind in [("end", "elapsed"), ("end", "cumulative"), ("time_matched", "cumulative")]
    }
    assert found == {
        ("end", "elapsed"): [0.792, 0.862],
        ("end", "cumulative"): [0.747, 0.712],
        ("time_matched", "cumulative"): [0.581, 0.565],
    }


def test_time_matched_the_clock_tells_nothing_within_a_task(summary):
    clock = summary["auroc"]["time_matched"]["elapsed"]
    assert set(clock["tasks"].values()) == {0.5}
    assert clock["mean_per_task"]["interval_95"] == [0.5, 0.5]
    assert clock["pooled"]["above_elapsed_interval_95"] == [0, 0]


def test_intervals_hold_their_estimates(summary):
    for kinds in summary["auroc"].values():
        for entry in kinds.values():
            low, high = entry["pooled"]["interval_95"]
            assert low <= entry["pooled"]["value"] <= high


def test_the_same_seed_gives_the_same_figures(recorded, summary):
    assert summarise(recorded, [0.05, 0.1], QUICK) == summary


def test_summary_is_json_and_its_table_names_everything(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    text = table(summary)
    for word in (
        "task_2",
        "task_4",
        "time-matched",
        "cusum .8 or elapsed .2",
        "alpha 0.1:",
        "0.792",
        "0.862",
    ):
        assert word in text


def _episodes(successes: int, failures: int, group: str = "door"):
    random = np.random.default_rng(0)
    return [
        ScoredEpisode(str(i), group, i < successes, random.random(6), score="kl")
        for i in range(successes + failures)
    ]


def test_a_task_without_failures_has_no_auroc_and_does_not_spoil_the_mean():
    episodes = [*_episodes(6, 4), *_episodes(8, 0, "drawer")]
    summary = summarise(episodes, [0.1], QUICK)
    entry = summary["auroc"]["end"]["cusum"]
    assert entry["tasks"]["drawer"] is None
    assert entry["mean_per_task"]["value"] == entry["tasks"]["door"]
    assert summary["tasks"]["drawer"]["mean_replans_failure"] is None
    json.dumps(summary, allow_nan=False)
    assert "drawer" in table(summary)


@pytest.mark.parametrize(("successes", "failures"), [(5, 0), (0, 5)])
def test_one_kind_of_outcome_is_refused(successes, failures):
    with pytest.raises(ValueError, match=f"{successes} of 5 episodes succeeded"):
        summarise(_episodes(successes, failures), [0.1], QUICK)


def test_a_constant_score_is_refused_by_name():
    episodes = [ScoredEpisode(str(i), "door", i > 3, np.ones(5), score="kl") for i in range(8)]
    with pytest.raises(ValueError, match="score 'kl' is 1 at each"):
        summarise(episodes, [0.1], QUICK)


def test_a_number_of_draws_below_one_is_refused():
    with pytest.raises(ValueError, match="splits is 0"):
        SummaryConfig(splits=0)


def test_area_under_the_drawn_curve_is_the_auroc():
    random = np.random.default_rng(4)
    scores, failed = random.integers(0, 9, 80).astype(float), random.random(80) < 0.4
    x, y = roc(scores, failed)
    area = float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
    assert area == pytest.approx(roc_auc_score(failed, scores))
    assert (x[-1], y[-1]) == (1, 1)
