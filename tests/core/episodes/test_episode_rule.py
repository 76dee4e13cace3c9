# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When an episode begins and when it ends."""

import pytest

from lbm_policy_node.core.episodes.episode_rule import Decision, EpisodeRule
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState


@pytest.fixture
def rule() -> EpisodeRule:
    return EpisodeRule(follow_runs=True)


def run(rule: EpisodeRule) -> None:
    assert rule.on_policy_state(PolicyState.RUNNING) is Decision.BEGIN
    rule.began(asked_for=False)


def test_a_run_is_an_episode(rule):
    assert rule.on_policy_state(PolicyState.IDLE) is Decision.NOTHING
    run(rule)
    assert rule.on_mode(ControlMode.HOLD) is Decision.NOTHING, "the policy has not moved anything yet"
    for state in (PolicyState.BLOCKED, PolicyState.RUNNING, PolicyState.IDLE):
        assert rule.on_policy_state(state) is Decision.NOTHING
    assert rule.on_mode(ControlMode.HOLD) is Decision.END


@pytest.mark.parametrize("state", [PolicyState.IDLE, PolicyState.ERROR, PolicyState.UNCONFIGURED])
def test_the_operators_turn_outlasts_the_run(rule, state):
    run(rule)
    assert not rule.needs_mode
    rule.on_policy_state(state)
    assert rule.needs_mode
    assert rule.on_mode(ControlMode.HUMAN) is Decision.NOTHING
    assert rule.on_mode(ControlMode.STOPPED) is Decision.END


def test_a_run_that_begins_blocked_is_an_episode(rule):
    assert rule.on_policy_state(PolicyState.BLOCKED) is Decision.BEGIN


def test_a_new_run_while_the_operator_still_drives_is_a_new_episode(rule):
    run(rule)
    rule.on_policy_state(PolicyState.IDLE)
    assert rule.on_policy_state(PolicyState.RUNNING) is Decision.BEGIN_NEXT


def test_a_run_that_could_not_be_recorded_is_not_tried_again_in_its_middle(rule):
    assert rule.on_policy_state(PolicyState.RUNNING) is Decision.BEGIN
    assert rule.on_policy_state(PolicyState.BLOCKED) is Decision.NOTHING
    assert rule.on_policy_state(PolicyState.RUNNING) is Decision.NOTHING


def test_what_was_asked_for_ends_when_asked(rule):
    assert rule.on_start_request() is Decision.BEGIN
    rule.began(asked_for=True)
    assert rule.on_start_request() is Decision.NOTHING
    assert rule.on_policy_state(PolicyState.RUNNING) is Decision.NOTHING
    assert rule.on_policy_state(PolicyState.IDLE) is Decision.NOTHING
    assert rule.on_mode(ControlMode.HOLD) is Decision.NOTHING
    assert rule.on_stop_request() is Decision.END
    rule.ended()
    assert rule.on_stop_request() is Decision.NOTHING


def test_an_outcome_ends_what_was_asked_for_but_not_a_run(rule):
    assert rule.on_outcome() is Decision.NOTHING
    run(rule)
    assert rule.on_outcome() is Decision.NOTHING, "it ends the run, which ends the episode"
    rule.ended()
    rule.began(asked_for=True)
    assert rule.on_outcome() is Decision.END


def test_the_operator_may_end_the_episode_of_a_run(rule):
    run(rule)
    assert rule.on_stop_request() is Decision.END
    rule.ended()
    assert rule.on_mode(ControlMode.HOLD) is Decision.NOTHING


def test_manual_ignores_runs():
    rule = EpisodeRule(follow_runs=False)
    assert rule.on_policy_state(PolicyState.RUNNING) is Decision.NOTHING
    assert rule.on_start_request() is Decision.BEGIN


def test_a_clock_that_went_back_splits_a_run_and_ends_anything_else(rule):
    assert rule.on_clock_jump() is Decision.NOTHING
    run(rule)
    assert rule.on_clock_jump() is Decision.BEGIN_NEXT
    rule.on_policy_state(PolicyState.IDLE)
    assert rule.on_clock_jump() is Decision.END
    rule.began(asked_for=True)
    assert rule.on_clock_jump() is Decision.END
