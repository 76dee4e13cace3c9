# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Episodes through real topics: when they begin and end, and what is in them."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from lbm_msgs.msg import ControlState, EpisodeEvent, PolicyStatus, Reason, RecorderStatus
from lbm_msgs.srv import EndEpisode
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.fake_robot import TICKS_PER_STEP
from helpers.policy_harness import PolicyUser, add_policy_node, make_checkpoint
from helpers.recorder_harness import CHECKPOINT_ID, INSTRUCTION, RecorderUser, add_recorder_node
from lbm_policy_node import __version__
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_records import EventKind, Outcome
from lbm_policy_node.ros import qos

STEPS = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "episodes"


@pytest.fixture
def user(graph, spec_file, folder) -> RecorderUser:
    add_recorder_node(graph, spec_file, folder)
    return RecorderUser(graph, folder)


def steps(user: RecorderUser, count: int = STEPS, mode: int = ControlState.POLICY) -> None:
    """Let the robot tick and the executor answer each tick."""
    for _ in range(count * TICKS_PER_STEP):
        user.graph.step()
        user.control(mode)


def kinds(events) -> list[EventKind]:
    return [event.kind for event in events]


def test_a_run_is_an_episode_with_every_message_in_it(user, spec_file):
    user.verdict("calibration-7")
    user.policy(PolicyStatus.RUNNING)
    began_ns = user.graph.robot.now_ns
    user.wait_for(RecorderStatus.RECORDING)
    steps(user)
    user.policy(PolicyStatus.BLOCKED)
    steps(user, 1, ControlState.HOLD)
    user.policy(PolicyStatus.IDLE, instruction="")
    episode = user.episode()
    ticks = (STEPS + 1) * TICKS_PER_STEP
    assert episode.counts == {
        "/front": STEPS + 1, "/wrist": STEPS + 1, "/joint_states": ticks, "/ee_pose": ticks,
        "/target_pose": 0, "/gripper": 0, "/action_chunks": 0, "/monitor_verdicts": 0,
        "/control_state": ticks, "/policy_node/status": 3, "/episode_events": 2,
    }  # fmt: skip
    header = episode.header
    assert (header.instruction, header.checkpoint_id) == (INSTRUCTION, CHECKPOINT_ID)
    assert (header.calibration_id, header.software_version) == ("calibration-7", __version__)
    assert header.started_ns == began_ns and header.robot == "fake"
    assert episode.path.name == header.episode_id == user.status.episode_id
    assert (episode.path / "robot.yaml").read_text() == spec_file.read_text()
    assert kinds(episode.events) == [EventKind.STARTED, EventKind.ENDED]
    assert [int(mode) for mode in episode.ticks.modes[-2:]] == [ControlState.HOLD] * 2
    assert user.status.n_messages == sum(episode.counts.values()) and episode.dropped == 0


def test_what_the_first_chunk_was_computed_from_is_in_the_episode(graph, spec_file, folder):
    add_recorder_node(graph, spec_file, folder, pre_roll_s=0.2)
    user = RecorderUser(graph, folder)
    steps(user, 8)
    began_ns = graph.robot.now_ns
    user.policy(PolicyStatus.RUNNING)
    user.wait_for(RecorderStatus.RECORDING)
    steps(user, 2)
    user.policy(PolicyStatus.IDLE)
    episode = user.episode()
    before = [s for s in episode.samples() if s.stamp_ns <= began_ns]
    assert {s.stream for s in before} == {s.name for s in episode.spec.observation_streams}
    assert min(s.stamp_ns for s in before) > began_ns - 200_000_000
    assert sum(s.stream == "front" for s in before) == 4 and episode.start_ns == began_ns
    assert episode.counts["/control_state"] == 2 * TICKS_PER_STEP, "nothing but the robot's streams"


def test_messages_are_the_bytes_that_came_stamped_with_ros_time(user):
    sent: list[tuple[int, Image]] = []
    user.graph.robot.change["front"] = lambda image: sent.append((user.graph.robot.now_ns, image)) or image
    user.policy(PolicyStatus.RUNNING)
    steps(user)
    user.policy(PolicyStatus.IDLE)
    with Bag(user.episode().path) as bag:
        got = [(log_ns, deserialize_message(bytes(data), Image)) for _, log_ns, data in bag.raw(["/front"])]
    assert got == sent


def test_what_publishers_offer_is_kept_for_playing(user):
    user.policy(PolicyStatus.RUNNING)
    user.wait_for(RecorderStatus.RECORDING)
    steps(user)
    user.policy(PolicyStatus.IDLE)
    values = yaml.safe_load((user.episode().path / "metadata.yaml").read_text())
    topics = values["rosbag2_bagfile_information"]["topics_with_message_count"]
    offered = {t["topic_metadata"]["name"]: t["topic_metadata"]["offered_qos_profiles"] for t in topics}
    (status,) = offered["/policy_node/status"]
    assert (status["reliability"], status["durability"]) == ("reliable", "transient_local")
    assert offered["/front"][0]["durability"] == "volatile"
    assert offered["/target_pose"] == [], "nobody publishes it"


def test_started_and_ended_are_reported_to_the_graph_too(user):
    user.policy(PolicyStatus.RUNNING)
    user.policy(PolicyStatus.IDLE)
    user.graph.spin_until(lambda: len(user.events) == 2, "the events")
    started, ended = user.events
    assert (started.event, ended.event) == (EpisodeEvent.STARTED, EpisodeEvent.ENDED)
    assert started.episode_id == ended.episode_id == user.status.episode_id
    assert (started.instruction, started.checkpoint_id) == (INSTRUCTION, CHECKPOINT_ID)
    assert started.source == "recorder_node"


def test_the_state_before_the_beginning_is_in_the_bag(user):
    user.policy(PolicyStatus.IDLE, instruction="", checkpoint_id="abc")
    user.graph.step(8)
    assert user.start("fold the shirt").error_code == Reason.OK
    assert user.end().error_code == Reason.OK
    episode = user.episode()
    assert episode.counts["/policy_node/status"] == 1 and episode.header.calibration_id == ""
    assert (episode.header.instruction, episode.header.checkpoint_id) == ("fold the shirt", "abc")
    assert episode.duration_s == pytest.approx(0.0, abs=1e-6)


def test_the_operators_turn_outlasts_the_run(user):
    user.policy(PolicyStatus.RUNNING)
    steps(user, 1)
    steps(user, 1, ControlState.HUMAN)
    user.policy(PolicyStatus.IDLE)
    steps(user, 2, ControlState.HUMAN)
    user.wait_for(RecorderStatus.RECORDING)
    steps(user, 1, ControlState.HOLD)
    episode = user.episode()
    ((first_ns, last_ns),) = episode.human_intervals_ns
    assert last_ns - first_ns == (3 * TICKS_PER_STEP - 1) * 12_500_000
    assert len(episode.ticks) == 4 * TICKS_PER_STEP + 1, "the tick that ended it is the last"


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (EndEpisode.Request.OUTCOME_KEEP, Outcome.UNKNOWN),
        (EndEpisode.Request.OUTCOME_SUCCESS, Outcome.SUCCESS),
        (EndEpisode.Request.OUTCOME_FAILURE, Outcome.FAILURE),
        (EndEpisode.Request.OUTCOME_DISCARD, Outcome.DISCARDED),
    ],
)
def test_services_start_and_end_with_an_outcome(user, asked, outcome):
    started = user.start("fold the shirt")
    assert started.error_code == Reason.OK and Path(started.path).is_dir()
    steps(user, 1, ControlState.HUMAN)
    ended = user.end(asked, "by hand")
    assert (ended.error_code, ended.episode_id) == (Reason.OK, started.episode_id)
    episode = user.episode()
    assert episode.outcome is outcome and episode.header.instruction == "fold the shirt"
    assert kinds(episode.events)[-1] is EventKind.ENDED and episode.events[-1].text == "by hand"
    with Bag(episode.path) as bag:
        assert bag.custom_data["outcome"] == outcome.name


def test_services_refuse_what_makes_no_sense(user):
    refused = user.end()
    assert refused.error_code == Reason.NOT_RECORDING and refused.error_msg
    first = user.start()
    again = user.start()
    assert again.error_code == Reason.ALREADY_RECORDING and first.episode_id in again.error_msg
    assert user.end(9).error_code == Reason.REQUEST_INVALID
    user.wait_for(RecorderStatus.RECORDING)
    assert user.end().error_code == Reason.OK


@pytest.mark.parametrize(
    ("button", "outcome"),
    [
        (EpisodeEvent.STOP_REQUESTED, Outcome.UNKNOWN),
        (EpisodeEvent.SUCCESS, Outcome.SUCCESS),
        (EpisodeEvent.FAILURE, Outcome.FAILURE),
        (EpisodeEvent.DISCARDED, Outcome.DISCARDED),
    ],
)
def test_buttons_of_the_operator_start_and_end(user, button, outcome):
    user.event(EpisodeEvent.START_REQUESTED)
    user.wait_for(RecorderStatus.RECORDING)
    user.event(EpisodeEvent.START_REQUESTED)
    user.event(EpisodeEvent.MARK, text="look here")
    steps(user, 1)
    user.event(button)
    episode = user.episode()
    assert episode.outcome is outcome
    assert {EventKind.MARK, EventKind(button), EventKind.ENDED} <= set(kinds(episode.events))


def test_success_in_a_run_is_noted_and_the_run_ends_it(user):
    user.policy(PolicyStatus.RUNNING)
    user.event(EpisodeEvent.SUCCESS, source="simulator")
    steps(user, 1)
    user.wait_for(RecorderStatus.RECORDING)
    user.policy(PolicyStatus.IDLE)
    assert user.episode().outcome is Outcome.SUCCESS


def test_manual_ignores_runs(graph, spec_file, folder):
    add_recorder_node(graph, spec_file, folder, record="manual", calibration_id="of-the-file")
    user = RecorderUser(graph, folder)
    user.policy(PolicyStatus.RUNNING)
    steps(user, 1)
    assert user.status.state == RecorderStatus.IDLE and not user.episodes()
    assert user.start().error_code == Reason.OK
    user.policy(PolicyStatus.IDLE)
    user.wait_for(RecorderStatus.RECORDING)
    user.end()
    header = user.episode().header
    assert (header.instruction, header.calibration_id) == (INSTRUCTION, "of-the-file")


def test_runs_one_after_the_other_are_episodes_of_their_own(user):
    for _ in range(3):
        user.policy(PolicyStatus.RUNNING)
        steps(user, 1)
        user.policy(PolicyStatus.IDLE)
    user.wait_for(RecorderStatus.IDLE)
    lengths = [len(read_episode(path).ticks) for path in user.episodes()]
    assert lengths == [TICKS_PER_STEP] * 3


def test_a_clock_that_goes_back_splits_the_run(user):
    user.policy(PolicyStatus.RUNNING)
    steps(user, 2)
    user.graph.jump(-50.0)
    steps(user, 2)
    user.policy(PolicyStatus.IDLE)
    user.wait_for(RecorderStatus.IDLE)
    first, second = sorted((read_episode(p) for p in user.episodes()), key=lambda e: -e.header.started_ns)
    assert "the clock jumped by -49.988 s" in first.events[-1].text
    for episode in (first, second):
        assert 0.0 < episode.duration_s < 1.0 and len(episode.ticks) == 2 * TICKS_PER_STEP


def test_leaving_the_active_state_ends_the_episode_on_disk(graph, spec_file, folder):
    node = add_recorder_node(graph, spec_file, folder)
    user = RecorderUser(graph, folder)
    user.policy(PolicyStatus.RUNNING)
    steps(user, 1)
    node.trigger_deactivate()
    assert user.start().error_code == Reason.NOT_ACTIVE
    node.trigger_cleanup()
    (path,) = user.episodes()
    assert len(read_episode(path).ticks) == TICKS_PER_STEP


def test_a_run_of_the_real_nodes_is_recorded_whole(graph, spec_file, folder, tmp_path):
    add_recorder_node(graph, spec_file, folder)
    add_executor_node(graph, spec_file, enable_control=True)
    add_policy_node(graph, spec_file, make_checkpoint(tmp_path / "checkpoint"))
    control, user = ControlWatcher(graph), PolicyUser(graph)
    statuses: list[RecorderStatus] = []
    user.node.create_subscription(RecorderStatus, "/recorder_node/status", statuses.append, qos.STATUS)
    assert user.start().error_code == Reason.OK
    graph.spin_until(lambda: statuses and statuses[-1].state == RecorderStatus.RECORDING, "the recording")
    first_state, first_target = len(control.states), len(graph.robot.targets)
    user.run_until_chunks(3)
    user.cancel()
    graph.spin_until(lambda: statuses[-1].state == RecorderStatus.IDLE, "the end")
    (path,) = folder.iterdir()
    episode = read_episode(path)
    assert [c.chunk.chunk_id for c in episode.chunks] == [chunk.chunk_id for chunk in user.chunks]
    assert (episode.chunks[-1].chunk.actions.ravel() == np.array(user.chunks[-1].actions)).all()
    assert len(episode.ticks) == len(control.states) - first_state
    assert episode.counts["/target_pose"] == len(graph.robot.targets) - first_target
    assert EventKind.INSTRUCTION_CHANGED in kinds(episode.events)
    assert episode.header.checkpoint_id == user.chunks[-1].checkpoint_id != ""
    assert episode.header.instruction == "open the door"
