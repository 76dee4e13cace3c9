# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A full disk, a slow one, silent topics and refused settings: the recorder says so and lives on."""

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from lbm_msgs.msg import ControlState, EpisodeEvent, PolicyStatus, Reason, RecorderStatus
from rclpy.lifecycle import TransitionCallbackReturn

from helpers.fake_robot import SPEC, TICKS_PER_STEP
from helpers.recorder_harness import RecorderUser, add_recorder_node
from helpers.small_disk import MEBIBYTE, fill, small_disk
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.bags.repair import needs_repair, repair
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros import qos
from lbm_policy_node.ros.recorder.recorder_topics import recorded_topics

IMAGE_BYTES = 256 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size_mb=8) as path:
        yield path


def heavy(user: RecorderUser, n_bytes: int = IMAGE_BYTES) -> None:
    """Let the front camera send large images."""

    def enlarge(image):
        image.data = array("B", bytes(n_bytes))
        return image

    user.graph.robot.change["front"] = enlarge


def tick(user: RecorderUser) -> bool:
    """One tick with its ControlState; False, for use as a condition that must be looked at again."""
    user.graph.step()
    user.control(ControlState.HOLD)
    return False


def until_error(user: RecorderUser, code: int) -> None:
    """Let the robot tick until the recorder stops with a reason."""
    user.graph.spin_until(
        lambda: user.status.state == RecorderStatus.ERROR or tick(user), "the recorder to stop"
    )
    assert user.status.reason.code == code, user.status.reason


def test_a_disk_that_fills_up_stops_recording_in_time_and_the_episode_is_whole(graph, spec_file, disk):
    add_recorder_node(graph, spec_file, disk, min_free_mb=3)
    user = RecorderUser(graph, disk)
    heavy(user)
    user.policy(PolicyStatus.RUNNING)
    until_error(user, Reason.DISK_FULL)
    assert "min_free_mb" in user.status.reason.text
    assert user.health is not None and user.health.level == DiagnosticStatus.ERROR
    (path,) = user.episodes()
    episode = read_episode(path)
    assert len(episode.ticks) > TICKS_PER_STEP
    assert "DISK_FULL" in episode.events[-1].text
    refused = user.start()
    assert refused.error_code == Reason.DISK_FULL and not refused.path
    assert len(user.episodes()) == 1, "nothing half-made is left"


def test_a_full_disk_ends_the_episode_the_node_lives_on_and_a_repair_finds_the_rest(graph, spec_file, disk):
    node = add_recorder_node(graph, spec_file, disk / "episodes")
    user = RecorderUser(graph, disk / "episodes")
    ballast = fill(disk, 5 * MEBIBYTE)
    heavy(user)
    user.policy(PolicyStatus.RUNNING)
    until_error(user, Reason.DISK_FULL)
    assert "No space left" in user.status.reason.text and "lbm episodes repair" in user.status.reason.text
    graph.spin_until(lambda: user.events[-1].event == EpisodeEvent.ENDED, "the end to be reported")
    (path,) = user.episodes()
    assert needs_repair(path)
    ballast.unlink()
    report = repair(path)
    assert report.n_messages > 20 and len(read_episode(path).ticks) > 0
    user.policy(PolicyStatus.IDLE)
    user.policy(PolicyStatus.RUNNING)
    user.wait_for(RecorderStatus.RECORDING, Reason.OK)
    user.policy(PolicyStatus.IDLE)
    user.wait_for(RecorderStatus.IDLE, Reason.OK)
    assert len(user.episodes()) == 2 and node.count_publishers("/recorder_node/status") == 1


def test_messages_that_do_not_fit_the_queue_are_counted_by_topic(graph, spec_file, tmp_path):
    add_recorder_node(graph, spec_file, tmp_path / "episodes", queue_mb=1)
    user = RecorderUser(graph, tmp_path / "episodes")
    heavy(user, 2 * MEBIBYTE)
    user.policy(PolicyStatus.RUNNING)
    for _ in range(3 * TICKS_PER_STEP):
        tick(user)
    graph.spin_until(lambda: user.status.n_dropped == 3, "the drops to be reported")
    assert user.status.reason.code == Reason.RECORDING_DROPPED
    assert user.status.reason.text.endswith("lost 3 of /front")
    graph.spin_until(lambda: user.health and user.health.level == DiagnosticStatus.WARN, "a warning")
    assert user.health is not None
    user.policy(PolicyStatus.IDLE)
    episode = user.episode()
    assert episode.dropped == 3 and "/front" in episode.counts and episode.counts["/front"] == 0
    assert episode.counts["/wrist"] == 3 and len(episode.ticks) == 3 * TICKS_PER_STEP


def test_a_stream_that_nobody_publishes_is_named_and_the_rest_is_recorded(graph, tmp_path):
    spec = yaml.safe_load(SPEC)
    spec["streams"]["spare"] = {**spec["streams"]["front"], "topic": "/spare"}
    file = tmp_path / "spec.yaml"
    file.write_text(yaml.safe_dump(spec))
    add_recorder_node(graph, file, tmp_path / "episodes")
    user = RecorderUser(graph, tmp_path / "episodes")
    user.policy(PolicyStatus.RUNNING)
    user.wait_for(RecorderStatus.RECORDING, Reason.TOPIC_MISSING)
    assert user.status.reason.text == "no publisher of /spare"
    tick(user)
    user.policy(PolicyStatus.IDLE)
    assert len(user.episode().ticks) == 1


def test_a_folder_that_is_a_file_refuses_to_configure_by_name(graph, spec_file, tmp_path):
    (tmp_path / "file").touch()
    node = add_recorder_node(graph, spec_file, tmp_path / "file")
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert f"folder is '{tmp_path / 'file'}', a file" in node._health().message


def test_a_broken_spec_refuses_to_configure(graph, tmp_path):
    (tmp_path / "spec.yaml").write_text("name: [")
    node = add_recorder_node(graph, tmp_path / "spec.yaml", tmp_path / "episodes")
    assert "spec.yaml" in node._health().message and not (tmp_path / "episodes").exists()


def test_the_clock_must_have_begun(graph, spec_file, tmp_path):
    node = add_recorder_node(graph, spec_file, tmp_path)
    assert node._runtime is not None
    refused = node._runtime.begin("", asked_for=True)
    assert refused.code == Reason.NOT_ACTIVE and "/clock" in refused.text


def test_teleop_and_commands_of_the_spec_are_recorded_and_the_clock_is_not():
    robot = RobotSpec.load(shared_path("config/robots/so101.yaml"))
    topics = {topic.name: topic for topic in recorded_topics(robot, lambda name: f"/left/{name}")}
    for source in robot.teleop:
        assert {source.topic, source.dead_man.topic} <= set(topics)
        assert topics[source.topic].type == source.type
    for name in robot.action.by_topic():
        assert topics[name].profile is qos.RECORDED
    assert topics["/left/policy_node/status"].profile is qos.RECORDED_STATUS
    assert "/clock" not in topics


def test_an_unfinished_episode_does_not_open_by_accident(graph, spec_file, tmp_path):
    add_recorder_node(graph, spec_file, tmp_path / "episodes")
    user = RecorderUser(graph, tmp_path / "episodes")
    user.policy(PolicyStatus.RUNNING)
    user.wait_for(RecorderStatus.RECORDING)
    (path,) = user.episodes()
    assert not needs_repair(path), "it is being recorded"
    with pytest.raises(ValueError, match="is being recorded"), Bag(path):
        pass
    with pytest.raises(ValueError, match="is being recorded"):
        repair(path)
