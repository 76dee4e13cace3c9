# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated roll-out and a graph of nodes in lock step give the same chunks for the same scene."""

from collections.abc import Iterator

import numpy as np
import pytest
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import Reason
from lbm_msgs.srv import ResetSimulation

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.lock_step_robot import LockStepRobot
from helpers.policy_harness import PolicyUser, add_policy_node
from helpers.ros_graph import Graph
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.ros.executor.chunk_executor_node import ChunkExecutorNode
from lbm_policy_node.ros.policy.policy_node import PolicyNode
from lbm_policy_node.sim.demonstrations import TICKS_PER_STEP
from lbm_policy_node.sim.robot import GRIPPER_OPEN, Scene, SimulatedRobot
from lbm_policy_node.sim.rollout import RolloutConfig, drive, policy_seed
from lbm_policy_node.sim.tasks import TASKS

SPEC, CHECKPOINT = shared_path("config/robots/metaworld.yaml"), shared_path("checkpoints/mt10")
TASK, SEED, N_SAMPLES, N_CHUNKS = "drawer-open", 5, 2, 5
WAIT_TICKS = 2 * TICKS_PER_STEP
"""Of the robot, before the run begins; a multiple of a step, so that it begins with a new image."""


@pytest.fixture
def graph(ros: None) -> Iterator[Graph]:
    graph = Graph(LockStepRobot(task=TASK))
    yield graph
    graph.close()


def chunks_of_a_graph(graph: Graph) -> list[ActionChunk]:
    """Run robot, executor and policy node until some chunks have come."""
    executor = add_executor_node(graph, SPEC, enable_control=True)
    policy = add_policy_node(graph, SPEC, CHECKPOINT, n_samples=N_SAMPLES, seed=policy_seed(SEED))
    graph.busy.append(lambda: chunks_taken(executor) < chunks_published(policy))
    ControlWatcher(graph)
    user = PolicyUser(graph)
    messages: list[ActionChunkMessage] = user.chunks
    reset = user.node.create_client(ResetSimulation, "/sim/reset")
    answer = graph.call(reset, ResetSimulation.Request(task=TASK, seed=SEED))
    assert answer.error_code == Reason.OK, answer.error_msg
    graph.step(WAIT_TICKS)
    assert user.start(answer.instruction).error_code == Reason.OK
    graph.settle()
    graph.step_until(lambda: len(messages) >= N_CHUNKS, f"{N_CHUNKS} chunks")
    return [chunk_from_message(message) for message in messages]


def chunks_published(policy: PolicyNode) -> int:
    """How many so far, arrived or not."""
    assert policy._runtime is not None
    return policy._runtime.loop.report().n_chunks


def chunks_taken(executor: ChunkExecutorNode) -> int:
    """How many the executor has taken: none may arrive during the next tick, or it comes one tick late."""
    assert executor._runtime is not None
    return executor._runtime.executor._chunks.chunk_id


def chunks_of_a_rollout() -> list[ActionChunk]:
    """Evaluate the same scene without ROS."""
    robot = SimulatedRobot(TASKS[TASK])
    robot.reset(Scene(seed=SEED))
    for _ in range(WAIT_TICKS):
        robot.tick(robot.commanded_position, GRIPPER_OPEN)
    policy = load_policy(CHECKPOINT, threads=1)
    config = RolloutConfig(
        max_steps=policy.spec.n_action_steps * (N_CHUNKS - 1) + 1,
        n_samples=N_SAMPLES,
        stop_at_success=False,
        lock_step=True,
        keep_chunks=True,
    )
    rollout = drive(robot, policy, RobotSpec.load(SPEC), SEED, TASKS[TASK].instruction, config)
    robot.close()
    return list(rollout.chunks)


def test_the_graph_and_the_rollout_of_a_scene_give_the_same_chunks(graph: Graph) -> None:
    live, simulated = chunks_of_a_graph(graph), chunks_of_a_rollout()
    assert len(live) == len(simulated) == N_CHUNKS
    for ours, theirs in zip(live, simulated, strict=True):
        np.testing.assert_array_equal(ours.actions, theirs.actions)
        np.testing.assert_array_equal(ours.samples, theirs.samples)
        assert times(ours, live[0]) == times(theirs, simulated[0])
        for name in ("chunk_id", "index", "seed", "instruction", "checkpoint_id", "execution_horizon"):
            assert getattr(ours, name) == getattr(theirs, name), name
    assert len({chunk.actions.tobytes() for chunk in live}) == N_CHUNKS, "the robot moves"


def times(chunk: ActionChunk, first: ActionChunk) -> tuple[object, ...]:
    """Every time of a chunk, from the first chunk's observation on, and the streams behind it."""
    origin_ns = first.observation_stamp_ns
    stamps = tuple(tuple(stamp - origin_ns for stamp in row) for row in chunk.input_stamps_ns)
    return (
        chunk.observation_stamp_ns - origin_ns,
        chunk.start_ns - origin_ns,
        chunk.step_ns,
        chunk.input_streams,
        stamps,
    )
