# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How outcomes become rates, intervals and the opposite-instruction figure."""

import numpy as np
import pytest
from scipy import integrate

from lbm_policy_node.sim.evaluation import EvaluationConfig, Outcome, Trial, summarise, trials
from lbm_policy_node.sim.report import plot, table
from lbm_policy_node.sim.rollout import Rollout
from lbm_policy_node.sim.success import beta_interval

CONFIG = EvaluationConfig(checkpoint="x", tasks=("drawer-open", "drawer-close"), episodes=4, opposites=3)


def outcome(task, seed, success, moved=0.0, ajar=False):
    rollout = Rollout(success=success, steps=40 + seed, refused=(), inference_s=(0.1,), held_ticks=0)
    return Outcome(Trial(task, seed, ajar), rollout, moved)


def made_summary():
    plain = [outcome(task, seed, seed != 2) for task in CONFIG.tasks for seed in range(4)]
    ajar = [
        outcome("drawer-open", 0, True, +0.4, True),
        outcome("drawer-open", 1, False, -0.4, True),  # the wrong way
        outcome("drawer-open", 2, False, +0.01, True),  # not moved
        outcome("drawer-close", 0, True, -0.4, True),
        outcome("drawer-close", 1, True, -0.4, True),
        outcome("drawer-close", 2, False, 0.0, True),
    ]
    return summarise(CONFIG, plain + ajar, "0123")


def test_summary_counts_successes_and_names_the_failed_seeds():
    row = made_summary()["tasks"]["drawer-open"]
    assert (row["episodes"], row["successes"], row["failed_seeds"]) == (4, 3, [2])


def test_opposite_instructions_count_only_what_was_moved():
    row = made_summary()["opposites"]["drawer-open / drawer-close"]
    assert (row["episodes"], row["moved"], row["moved_as_instructed"], row["solved"]) == (6, 4, 3, 3)
    assert row["rate"] == pytest.approx(0.75)


def test_trials_share_scenes_between_opposite_instructions():
    ajar = [trial for trial in trials(CONFIG) if trial.ajar]
    scenes = {task: [t.scene for t in ajar if t.task == task] for task in CONFIG.tasks}
    assert scenes["drawer-open"] == scenes["drawer-close"]
    assert len({scene.ajar for scene in scenes["drawer-open"]}) == 3


def test_a_task_without_its_opposite_has_no_opposite_test():
    config = EvaluationConfig(checkpoint="x", tasks=("drawer-open", "reach"), episodes=1)
    assert not any(trial.ajar for trial in trials(config))


@pytest.mark.parametrize(("successes", "episodes"), [(0, 50), (41, 50), (50, 50), (3, 7)])
def test_interval_holds_its_mass_of_the_posterior(successes, episodes):
    low, high = beta_interval(successes, episodes)

    def likelihood(p):
        return p**successes * (1 - p) ** (episodes - successes)

    whole, _ = integrate.quad(likelihood, 0, 1, epsabs=0, epsrel=1e-10)
    inside, _ = integrate.quad(likelihood, low, high, epsabs=0, epsrel=1e-10)
    assert inside / whole == pytest.approx(0.95, abs=1e-6)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="5 successes of 4"):
        beta_interval(5, 4)


def test_report_shows_every_task_and_the_opposites(tmp_path):
    summary = made_summary()
    text = table(summary)
    assert "drawer-open" in text and "3/4" in text and "3 of 4 moved as instructed (75.0%)" in text
    plot(summary, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert np.isfinite(summary["tasks"]["drawer-open"]["median_inference_s"])
