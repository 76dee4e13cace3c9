# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A run of the policy node over real topics: chunks with times, one goal, and an end with a reason."""

from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import PolicyStatus, Reason
from std_msgs.msg import Bool

from helpers.fake_robot import TICK_NS, TICKS_PER_STEP
from helpers.policy_harness import (
    EXECUTED_STEPS,
    HORIZON,
    ActionUser,
    PolicyUser,
    add_policy_node,
    make_checkpoint,
)
from helpers.ros_graph import Graph
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.ros.process import autostart

STEP_NS = TICK_NS * TICKS_PER_STEP


@pytest.fixture
def user(graph: Graph, spec_file: Path, tmp_path: Path) -> PolicyUser:
    add_policy_node(graph, spec_file, make_checkpoint(tmp_path / "checkpoint"), success_topic="/success")
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "the node to become idle")
    graph.step(2 * TICKS_PER_STEP)
    return user


def test_chunks_carry_the_observation_stamp_the_lead_and_the_instruction(user):
    assert user.start("open the door").error_code == Reason.OK
    user.run_until_chunks(3)
    stamps = []
    for number, message in enumerate(user.chunks, start=1):
        chunk = chunk_from_message(message)
        stamps.append(chunk.observation_stamp_ns)
        assert (chunk.chunk_id, chunk.seed, chunk.instruction) == (number, number, "open the door")
        assert chunk.start_ns == chunk.observation_stamp_ns + STEP_NS
        assert chunk.actions.shape == (HORIZON, 4) and chunk.step_ns == STEP_NS
        np.testing.assert_array_equal(chunk.samples[0], chunk.actions)
    assert np.diff(stamps).tolist() == [EXECUTED_STEPS * STEP_NS] * 2
    assert user.in_state(PolicyStatus.RUNNING, Reason.OK)


def test_status_counts_and_times_without_the_warm_up(user):
    user.start()
    user.run_until_chunks(4)
    user.graph.step_until(lambda: user.status.n_chunks >= 4, "a status that counts the chunks")
    assert user.status.checkpoint_id and user.status.inference_median_s > 0.0
    assert 0.0 <= user.status.observation_age_p99_s < 1.0


def test_nothing_is_published_without_a_goal(user):
    user.graph.step(40)
    assert not user.chunks and user.in_state(PolicyStatus.IDLE, Reason.OK)


@pytest.mark.parametrize("instruction", ["", "x" * 10_000])
def test_an_empty_or_endless_instruction_is_refused_with_a_reason_on_the_status(user, instruction):
    assert user.start(instruction).error_code == Reason.INSTRUCTION_INVALID
    user.graph.spin_until(
        lambda: user.in_state(PolicyStatus.IDLE, Reason.INSTRUCTION_INVALID), "the reason on the status"
    )
    user.graph.step(40)
    assert not user.chunks
    assert user.start("open the door").error_code == Reason.OK
    user.run_until_chunks(1)


def test_a_second_goal_is_refused_and_the_first_goes_on(user):
    user.start("open the door")
    answer = user.start("close the door")
    assert answer.error_code == Reason.BUSY and "open the door" in answer.error_msg
    user.run_until_chunks(2)
    assert {chunk.instruction for chunk in user.chunks} == {"open the door"}


def test_the_instruction_changes_in_motion(user):
    user.start("open the door")
    user.run_until_chunks(1)
    assert user.set_instruction("close the door").error_code == Reason.OK
    user.run_until_chunks(2)
    assert user.chunks[-1].instruction == "close the door"
    user.graph.spin_until(lambda: user.status.instruction == "close the door", "the status")


def test_cancel_and_time_limit_end_in_idle(user):
    user.start()
    user.run_until_chunks(1)
    assert user.cancel().error_code == Reason.OK
    user.graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE), "idle after the cancel")
    assert user.cancel().error_code == Reason.POLICY_NOT_RUNNING
    user.start(time_limit_s=0.5)
    ticks = user.graph.step_until(lambda: user.in_state(PolicyStatus.IDLE), "idle after the time limit")
    assert 40 <= ticks <= 45


def test_the_action_gives_feedback_and_success_comes_from_outside(user):
    action = ActionUser(user)
    handle = action.send("open the door")
    assert handle.accepted
    assert not action.send("close the door").accepted
    user.run_until_chunks(2)
    user.graph.step_until(lambda: action.feedback and action.feedback[-1].n_chunks >= 2, "feedback")
    success = user.node.create_publisher(Bool, "/success", 10)
    user.graph.spin_until(lambda: success.get_subscription_count() == 1, "the success subscription")
    success.publish(Bool(data=True))
    answer = action.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_SUCCEEDED
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_SUCCEEDED
    assert answer.result.error_code == Reason.OK and answer.result.n_chunks >= 2


@pytest.mark.parametrize("by_service", [False, True])
def test_both_ways_to_cancel_end_the_action_as_canceled(user, by_service):
    action = ActionUser(user)
    handle = action.send("open the door")
    user.run_until_chunks(1)
    assert user.cancel().error_code == Reason.OK if by_service else action.wait(handle.cancel_goal_async())
    answer = action.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_CANCELED
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_CANCELED
    assert action.send("again").accepted


def test_the_action_ends_at_its_time_limit(user):
    action = ActionUser(user)
    handle = action.send("open the door", time_limit_s=0.2)
    user.graph.step(20)
    answer = action.wait(handle.get_result_async())
    assert answer.status == GoalStatus.STATUS_ABORTED
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_TIME_LIMIT
    assert answer.result.error_code == Reason.OK


def test_deactivation_ends_the_run_and_the_node_can_be_set_up_again(user):
    action = ActionUser(user)
    node = next(n for n in user.graph.executor.get_nodes() if n.get_name() == "policy_node")
    handle = action.send("open the door")
    user.run_until_chunks(1)
    node.trigger_deactivate()
    answer = action.wait(handle.get_result_async())
    assert answer.result.termination_reason == RunPolicy.Result.TERMINATION_DEACTIVATED
    user.graph.spin_until(lambda: user.in_state(PolicyStatus.IDLE, Reason.DEACTIVATED), "IDLE")
    assert user.start().error_code == Reason.NOT_ACTIVE
    node.trigger_cleanup()
    user.graph.spin_until(lambda: user.in_state(PolicyStatus.UNCONFIGURED), "UNCONFIGURED")
    autostart(node)
    user.graph.step(2 * TICKS_PER_STEP)
    before = len(user.chunks)
    assert user.start().error_code == Reason.OK
    user.run_until_chunks(before + 1)


def test_an_embedding_that_the_policy_does_not_have_refuses_configure(graph, spec_file, tmp_path):
    add_policy_node(graph, spec_file, make_checkpoint(tmp_path / "checkpoint"), send_embedding=True)
    user = PolicyUser(graph)
    graph.spin_until(lambda: user.in_state(PolicyStatus.UNCONFIGURED), "the refusal")
    assert "send_embedding is true, but a weightless policy has no embedding" in user.status.reason.text
