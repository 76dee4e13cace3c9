# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm_msgs, as the set-up built it, crosses real DDS: a topic, an action with feedback, a service."""

import array
import os
from collections.abc import Iterator
from typing import Any

import pytest
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ActionChunk, PolicyStatus, Reason
from lbm_msgs.srv import ResetSimulation
from rclpy.action import ActionClient, ActionServer
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future

PATIENCE_S = 20.0
KEPT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Pair:
    """Two nodes in a ROS domain of their own, spun together."""

    def __init__(self, context: Context) -> None:
        self.here = Node("here", context=context)
        self.there = Node("there", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.here)
        self.executor.add_node(self.there)

    def wait(self, future: Future) -> Any:
        self.executor.spin_until_future_complete(future, PATIENCE_S)
        assert future.done(), f"nothing came in {PATIENCE_S} s"
        return future.result()

    def send(self, message: Any) -> Any:
        """Publish here, return what arrives there."""
        arrival = Future(executor=self.executor)
        self.there.create_subscription(type(message), "topic", arrival.set_result, KEPT)
        self.here.create_publisher(type(message), "topic", KEPT).publish(message)
        return self.wait(arrival)


@pytest.fixture
def pair() -> Iterator[Pair]:
    context = Context()
    context.init(domain_id=1 + os.getpid() % 100)
    pair = Pair(context)
    yield pair
    pair.executor.shutdown()
    pair.here.destroy_node()
    pair.there.destroy_node()
    context.shutdown()


def test_action_chunk_arrives_as_it_was_sent(pair):
    chunk = ActionChunk(chunk_id=2**63, step_s=0.05, horizon=2, action_dim=3, n_samples=1, seed=2**64 - 1)
    chunk.header.stamp.nanosec = 999_999_999
    chunk.action_names = ["x", "y", "z"]
    chunk.actions = array.array("d", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    chunk.samples = array.array("d", [1e-300, -0.0, 1e300, 0.0, float("inf"), 1 / 3])
    chunk.instruction = "close the drawer, s'il te plaît"
    assert pair.send(chunk) == chunk


def test_policy_status_carries_its_reason(pair):
    status = PolicyStatus(state=PolicyStatus.BLOCKED)
    status.reason = Reason(code=Reason.OBSERVATION_STALE, text="front: 0.41 s old, at most 0.25 s")
    received = pair.send(status)
    assert (received.state, received.reason) == (PolicyStatus.BLOCKED, status.reason)


def test_run_policy_gives_feedback_and_a_termination_reason(pair):
    feedback = Future(executor=pair.executor)

    def execute(goal) -> RunPolicy.Result:
        goal.publish_feedback(RunPolicy.Feedback(instruction=goal.request.instruction, n_chunks=3))
        goal.succeed()
        return RunPolicy.Result(termination_reason=RunPolicy.Result.TERMINATION_TIME_LIMIT, n_chunks=3)

    server = ActionServer(pair.here, RunPolicy, "run_policy", execute)
    client = ActionClient(pair.there, RunPolicy, "run_policy")
    assert client.wait_for_server(PATIENCE_S)
    goal = RunPolicy.Goal(instruction="open the door", time_limit_s=2.0)
    handle = pair.wait(client.send_goal_async(goal, feedback_callback=feedback.set_result))
    result = pair.wait(handle.get_result_async()).result
    seen = pair.wait(feedback).feedback
    server.destroy()
    client.destroy()
    assert (result.error_code, result.termination_reason) == (
        Reason.OK,
        RunPolicy.Result.TERMINATION_TIME_LIMIT,
    )
    assert (seen.instruction, seen.n_chunks) == ("open the door", 3)


def test_services_answer_with_an_error_code_and_text(pair):
    def refuse(
        request: ResetSimulation.Request, response: ResetSimulation.Response
    ) -> ResetSimulation.Response:
        response.error_code = Reason.TASK_UNKNOWN
        response.error_msg = f"no task {request.task!r}"
        return response

    pair.here.create_service(ResetSimulation, "reset", refuse)
    client = pair.there.create_client(ResetSimulation, "reset")
    assert client.wait_for_service(PATIENCE_S)
    response = pair.wait(client.call_async(ResetSimulation.Request(task="juggle", seed=1)))
    assert (response.error_code, response.error_msg) == (Reason.TASK_UNKNOWN, "no task 'juggle'")
