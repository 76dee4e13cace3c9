# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded episode in the robot's place, through real topics: sensors only, and only in shadow mode."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lbm_msgs.msg import ActionChunk, ControlState
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from helpers.executor_harness import add_executor_node
from helpers.node_process import ROOT, NodeProcess
from helpers.policy_harness import add_policy_node
from helpers.ros_graph import Graph
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_records import RecordedChunk
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.stamps import to_ns
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.chunk_inputs import find_inputs
from lbm_policy_node.replay.rebuild import rebuild
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.parameters import ParameterError
from lbm_policy_node.ros.player.bag_player_node import BagPlayerNode

SPEC, CHECKPOINT = shared_path("config/robots/metaworld.yaml"), shared_path("checkpoints/weightless")
FRONT, RATE = "/camera/front/image_raw", 2.0


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An episode of the weightless policy."""
    from helpers.episode_maker import make_episode

    policy = load_policy(CHECKPOINT)

    def infer(history: Any, n_samples: int, seed: int) -> Any:
        return policy.infer(history[-1:], n_samples=n_samples, seed=seed)

    folder = tmp_path_factory.mktemp("episodes") / "sine"
    return make_episode(folder, seconds=1.5, infer=infer, n_obs_steps=1, n_samples=1)


class Player(BagPlayerNode):
    """The player as the robot of a test's graph."""

    def __init__(self, episode: Path, **parameters: Any) -> None:
        values = {"episode": str(episode), "rate": RATE, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        super().__init__(parameter_overrides=overrides)


class Audience:
    """Hears what a graph with a player says."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.node = graph, Node("audience")
        self.images: list[bytes] = []
        self.clocks: list[int] = []
        self.chunks: list[ActionChunk] = []
        self.states: list[ControlState] = []
        subscribe = self.node.create_subscription
        subscribe(Image, FRONT, self.images.append, qos.CONTROL_STATE, raw=True)  # reliable and deep
        subscribe(Clock, "/clock", self._on_clock, qos.CONTROL_STATE)
        subscribe(ActionChunk, "/action_chunks", self.chunks.append, qos.EVERY_CHUNK)
        subscribe(ControlState, "/control_state", self.states.append, qos.CONTROL_STATE)
        graph.add(self.node)

    def _on_clock(self, message: Clock) -> None:
        self.clocks.append(to_ns(message.clock))


@pytest.fixture
def play(ros: None) -> Any:
    graphs: list[Graph] = []

    def start(episode: Path, **parameters: Any) -> tuple[Graph, BagPlayerNode]:
        player = Player(episode, **parameters)
        graphs.append(Graph(player))
        return graphs[-1], player

    yield start
    for graph in graphs:
        graph.close()


def test_a_graph_in_shadow_mode_sees_the_episode_and_nothing_is_commanded(play, episode):
    graph, player = play(episode)
    executor = add_executor_node(graph, SPEC, enable_control=False)
    add_policy_node(graph, SPEC, CHECKPOINT)
    audience = Audience(graph)
    graph.spin_until(lambda: player.finished, "the end of the episode")
    assert player.failure == "" and player.exit_code == 0
    graph.wait(lambda: len(audience.images) >= 30, seconds=2.0)
    with Bag(episode) as bag:
        recorded = [bytes(data) for _, _, data in bag.raw([FRONT])]
        start_ns, end_ns = bag.start_ns, bag.end_ns
    assert audience.images == recorded  # the same bytes, header stamps and all
    assert audience.clocks == sorted(audience.clocks)
    assert start_ns <= audience.clocks[0] and audience.clocks[-1] < end_ns
    assert len(audience.chunks) >= 2 and {c.instruction for c in audience.chunks} == {"move the square"}
    assert all(c.index == i for i, c in enumerate(audience.chunks))  # none is the bag's own
    assert audience.states and not any(state.control_enabled for state in audience.states)
    assert executor.count_publishers("/target_pose") == 0


def test_live_chunks_are_what_the_bag_gives_offline(play, episode):
    """Each live chunk names its messages: where a sample came too late, both used the one before."""
    graph, player = play(episode)
    add_policy_node(graph, SPEC, CHECKPOINT)
    audience = Audience(graph)
    graph.spin_until(lambda: player.finished, "the end of the episode")
    live = [chunk_from_message(message) for message in audience.chunks]
    recorded, candidate = read_episode(episode), Candidate.load(CHECKPOINT)
    with Bag(episode) as bag:
        arrived = [RecordedChunk(recorded.end_ns, chunk) for chunk in live]
        wanted = find_inputs(bag, recorded.spec, arrived, candidate.policy.spec.n_obs_steps)
        answers = [candidate.answer(rebuilt) for rebuilt in rebuild(bag, recorded.spec, wanted)]
    assert len(live) == len(answers) >= 2
    for chunk, answer in zip(live, answers, strict=True):
        assert answer.actions.tolist() == chunk.actions.tolist()


def test_a_graph_that_commands_a_robot_is_refused(play, episode):
    graph, player = play(episode)
    add_executor_node(graph, SPEC, enable_control=True)
    add_policy_node(graph, SPEC, CHECKPOINT)
    audience = Audience(graph)
    graph.spin_until(lambda: player.finished, "the refusal")
    assert "enable_control of /chunk_executor_node is true" in player.failure and player.exit_code == 1
    assert not audience.images and not audience.clocks


def test_an_executor_that_comes_later_ends_the_replay(play, episode):
    graph, player = play(episode, loop=True)
    add_policy_node(graph, SPEC, CHECKPOINT)
    audience = Audience(graph)
    graph.spin_until(lambda: audience.images, "the first image")
    add_executor_node(graph, SPEC, enable_control=True)
    graph.spin_until(lambda: player.finished, "the refusal")
    assert player.exit_code == 1 and player.failure


def test_a_robot_that_is_there_is_not_mixed_with_a_bag(play, episode):
    graph, player = play(episode)
    robot = Node("camera_driver")
    robot.create_publisher(Image, FRONT, qos.CAMERA)
    graph.add(robot)
    graph.spin_until(lambda: player.finished, "the refusal")
    assert f"{FRONT} is published by /camera_driver" in player.failure


def test_a_loop_throws_the_clock_back_and_the_policy_starts_over(play, episode):
    graph, player = play(episode, loop=True)
    add_policy_node(graph, SPEC, CHECKPOINT)
    audience = Audience(graph)
    graph.spin_until(lambda: sum(c.index == 0 for c in audience.chunks) >= 2, "chunks of a second round")
    graph.spin_until(lambda: audience.clocks != sorted(audience.clocks), "the clock of a second round")
    assert not player.finished


def test_it_can_begin_in_the_middle(play, episode):
    graph, player = play(episode, start_s=1.0, run_policy=False)
    add_policy_node(graph, SPEC, CHECKPOINT)
    audience = Audience(graph)
    graph.spin_until(lambda: player.finished, "the end of the episode")
    with Bag(episode) as bag:
        assert audience.clocks[0] >= bag.start_ns + 1_000_000_000
    assert not audience.chunks


def test_nobody_listening_is_reported_after_the_time_to_wait(play, episode):
    graph, player = play(episode, wait_s=0.5)
    graph.spin_until(lambda: player.finished, "the end of the wait")
    assert "no subscriber of" in player.failure and FRONT in player.failure


def with_unknown_type(source: Path, folder: Path) -> Path:
    """The episode with a stream of a type that is not installed."""
    from helpers.episode_maker import MessageTypes
    from lbm_policy_node.data.bags.bag_writer import BagWriter

    class Foreign(MessageTypes):
        def definition(self, type_name: str) -> tuple[str, str]:
            known = "sensor_msgs/msg/JointState" if type_name == "acme_msgs/msg/Force" else type_name
            return super().definition(known)

    folder.mkdir()
    for name in ("episode.json", "robot.yaml"):
        shutil.copy(source / name, folder / name)
    with Bag(source) as bag:
        writer = BagWriter(folder, {**bag.types, "/force": "acme_msgs/msg/Force"}, Foreign())
        for topic, log_ns, data in bag.raw():
            writer.write(topic, log_ns, bytes(data))
            if topic == "/joint_states":
                writer.write("/force", log_ns, bytes(data))
    writer.close({})
    return folder


def test_unknown_types_are_named_and_left_out_only_when_asked(play, episode, tmp_path):
    foreign = with_unknown_type(episode, tmp_path / "foreign")
    with pytest.raises(ParameterError, match=r"/force \(acme_msgs/msg/Force\).*skip_unknown"):
        Player(foreign)
    graph, player = play(foreign, skip_unknown=True)
    add_policy_node(graph, SPEC, CHECKPOINT)
    graph.spin_until(lambda: player.finished, "the end of the episode")
    assert player.failure == "" and "/force" not in dict(player.get_topic_names_and_types())


def test_a_process_without_an_episode_says_so(ros_domain, tmp_path):
    with NodeProcess("bag_player_node", tmp_path / "log", episode=tmp_path) as process:
        assert process.end() == 2
        assert "no recorded episode" in process.output and "Traceback" not in process.output


def test_a_process_leaves_with_the_reason(ros_domain, episode, tmp_path):
    with NodeProcess("bag_player_node", tmp_path / "log", episode=episode, wait_s=0.5) as process:
        assert process.end() == 1
        assert "no subscriber" in process.output and "Traceback" not in process.output


def test_the_command_starts_a_graph_in_shadow_mode_and_leaves_at_the_end(ros_domain, episode, tmp_path):
    command = [sys.executable, "-m", "lbm_policy_node.cli.main", "replay", str(episode), "--live"]
    log = tmp_path / "log"
    with log.open("w") as out:
        options = ["--checkpoint", str(CHECKPOINT), "--rate", "4"]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        code = subprocess.call(
            [*command, *options], stdout=out, stderr=out, env=environment, cwd=ROOT, timeout=100
        )
    text = log.read_text()
    assert code == 0, text
    assert "shadow mode" in text and "the policy follows 'move the square'" in text
    assert "the episode has been played" in text and "Traceback" not in text
