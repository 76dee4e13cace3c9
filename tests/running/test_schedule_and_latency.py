# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The next inference is due when the checkpoint's rows have been executed, and warm-up is not counted."""

import math

import pytest
import yaml

from helpers.fake_spec import SPEC
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.policy import PolicySpec
from lbm_policy_node.policies.weightless import WeightlessConfig, WeightlessPolicy
from lbm_policy_node.running.latency import WINDOW, LatencyStatistics
from lbm_policy_node.running.schedule import Mode, Schedule, make_schedule

STEP = 50_000_000


def _due_stamps(mode: Mode, stamps: list[int]) -> list[int]:
    schedule = Schedule(mode, STEP, replan_steps=4, period_ns=130_000_000)
    due: list[int] = []
    for stamp in stamps:
        if schedule.due(stamp, due[-1] if due else None):
            due.append(stamp)
    return due


def test_chunk_end_replans_after_exactly_that_many_steps():
    stamps = [7 + i * STEP for i in range(12)]
    assert _due_stamps(Mode.CHUNK_END, stamps) == [stamps[0], stamps[4], stamps[8]]


@pytest.mark.parametrize("jitter_ns", [-3_000_000, 3_000_000])
def test_a_camera_that_jitters_does_not_lose_a_whole_image(jitter_ns):
    stamps = [i * STEP + (jitter_ns if i % 4 == 0 and i else 0) for i in range(9)]
    assert _due_stamps(Mode.CHUNK_END, stamps) == [stamps[0], stamps[4], stamps[8]]


def test_continuous_takes_every_new_observation_but_none_twice():
    assert _due_stamps(Mode.CONTINUOUS, [0, 0, STEP, STEP, 2 * STEP]) == [0, STEP, 2 * STEP]


def test_fixed_rate_keeps_its_period():
    assert _due_stamps(Mode.FIXED_RATE, [i * 10_000_000 for i in range(30)]) == [0, 130_000_000, 260_000_000]


def _used(mode: Mode, n_obs_steps: int) -> list[int]:
    """Steps after an inference at step 0 that the next one may look at, up to the one that is due."""
    schedule = Schedule(mode, STEP, replan_steps=4, period_ns=130_000_000)
    reach_ns = (n_obs_steps - 1) * STEP + STEP // 2
    return [step for step in range(1, 5) if schedule.may_use(step * STEP, 0, reach_ns)]


def test_the_next_inference_may_look_at_the_steps_of_its_history_only():
    assert _used(Mode.CHUNK_END, 1) == [4]
    assert _used(Mode.CHUNK_END, 2) == [3, 4]
    assert _used(Mode.CHUNK_END, 9) == [1, 2, 3, 4]
    assert _used(Mode.FIXED_RATE, 1) == [2, 3, 4], "due after 2.6 steps, half a step is as good"
    assert _used(Mode.CONTINUOUS, 1) == [1, 2, 3, 4]


def test_before_the_first_inference_every_observation_may_be_used():
    assert Schedule(Mode.CHUNK_END, STEP, 4, STEP).may_use(7, None, 0)


def test_the_first_duration_is_warm_up_and_old_ones_leave():
    latency = LatencyStatistics()
    assert math.isnan(latency.summary().median_s)
    latency.add(60.0)
    assert math.isnan(latency.summary().p99_s)
    for value in [5.0] * 10 + [0.01] * WINDOW:
        latency.add(value)
    assert latency.summary().p99_s == latency.summary().last_s == pytest.approx(0.01)


def _policy_and_robot() -> tuple[PolicySpec, RobotSpec]:
    config = WeightlessConfig(
        input_features={"observation.state": Feature("STATE", (4,))},
        output_features={"action": Feature("ACTION", (4,))},
        hold_state_indices=(0, 1, 2, 3),
    )
    return WeightlessPolicy(config).spec, RobotSpec.from_mapping(yaml.safe_load(SPEC))


def test_another_number_of_executed_rows_than_trained_is_warned_of():
    policy, robot = _policy_and_robot()
    schedule, warning = make_schedule(Mode.CHUNK_END, 0, 5.0, policy, robot)
    assert (schedule.replan_steps, warning) == (policy.n_action_steps, "")
    schedule, warning = make_schedule(Mode.CHUNK_END, 4, 5.0, policy, robot)
    assert schedule.replan_steps == 4 and "4" in warning and str(policy.n_action_steps) in warning


def test_more_executed_rows_than_a_chunk_has_are_refused():
    policy, robot = _policy_and_robot()
    with pytest.raises(ValueError, match=r"replan_steps is 17.*16 rows"):
        make_schedule(Mode.CHUNK_END, 17, 5.0, policy, robot)
