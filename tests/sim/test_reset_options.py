# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of a reset say what is wrong with them, and reach the running simulation."""

import json

import numpy as np
import pytest

from lbm_policy_node.sim.options import ResetOptions
from lbm_policy_node.sim.session import SimulationSession


def parse(task="drawer-open", **options):
    return ResetOptions.parse(json.dumps(options), task=task)


def test_disturbance_and_its_time_are_read():
    options = parse(perturbation="proprio_noise", perturbation_after_s=1.5)
    assert (options.perturbation, options.perturbation_after_s) == ("proprio_noise", 1.5)
    assert ResetOptions.parse("", task="reach") == ResetOptions()


@pytest.mark.parametrize(
    ("task", "options", "expected"),
    [
        ("drawer-open", {"perturbation": "earthquake"}, "expected one of: .*welded"),
        ("drawer-open", {"perturbation": 3}, "expected one of"),
        ("drawer-open", {"perturbation": ["welded"]}, "expected one of"),
        ("drawer-open", {"perturbation": "latency"}, "not the simulated robot's"),
        ("drawer-open", {"perturbation": "wrong_instruction"}, "other instruction in the goal"),
        ("reach", {"perturbation": "welded"}, "does not apply to task 'reach'"),
        ("reach", {"perturbation_after_s": -1}, "from 0 to 600"),
        ("reach", {"perturbation": "start_outside", "perturbation_after_s": 1}, "about the start"),
        ("reach", {"perturbance": "tint"}, "known: ajar, perturbation"),
    ],
)
def test_wrong_options_are_refused_with_what_is_expected(task, options, expected):
    with pytest.raises(ValueError, match=expected):
        parse(task, **options)


@pytest.fixture
def session(slow):
    session = SimulationSession(task="drawer-open", seed=0, height=32, width=32, base_frame="base")
    yield session
    session.close()


def is_truthful(session):
    return np.array_equal(session.robot.reported_proprio()[0], session.robot.position)


def test_fault_begins_in_the_middle_of_a_running_episode_and_ends_with_it(session):
    options = parse(perturbation="proprio_noise", perturbation_after_s=0.1)  # 8 ticks
    session.reset(task="drawer-open", seed=1, options=options)
    truthful = []
    for _ in range(12):
        truthful.append(is_truthful(session))
        session.advance()
    assert truthful == [True] * 9 + [False] * 3
    session.reset(task="drawer-open", seed=1, options=ResetOptions())
    for _ in range(12):
        session.advance()
        assert is_truthful(session)


def test_disturbance_follows_to_another_task(session):
    session.reset(task="reach", seed=1, options=parse(perturbation="proprio_noise"))
    session.advance()
    assert session.robot.task.name == "reach"
    assert not is_truthful(session)
