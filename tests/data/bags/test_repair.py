# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever end a recorder comes to, its bag can be made readable, and nothing written whole is lost."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from mcap.reader import SeekingReader
from rosbags.rosbag2 import Reader

from helpers.episode_maker import make_episode
from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.bags.repair import needs_repair, repair
from lbm_policy_node.data.episodes.episode import read_episode


@pytest.fixture
def episode(tmp_path) -> Path:
    return make_episode(tmp_path / "e", seconds=1.0)


def raw(path: Path) -> list[tuple[str, int, bytes]]:
    with Bag(path) as bag:
        return [(topic, log_ns, bytes(data)) for topic, log_ns, data in bag.raw()]


def by_topic(messages: list[tuple[str, int, bytes]]) -> dict[str, list[tuple[int, bytes]]]:
    return {topic: [m[1:] for m in messages if m[0] == topic] for topic in {m[0] for m in messages}}


def unfinish(path: Path, keep: int | None = None) -> bytes:
    """Leave the bag as a killed recorder does; returns the file as it then is."""
    (path / "metadata.yaml").unlink()
    file = path / f"{path.name}.mcap"
    data = file.read_bytes()[:keep]
    file.write_bytes(data)
    return data


def opens_everywhere(path: Path, n_messages: int) -> None:
    """rosbags and mcap's seeking reader, which needs the index, find the same messages."""
    with Reader(path) as reader:
        assert reader.message_count == n_messages == sum(1 for _ in reader.messages())
    with (path / f"{path.name}.mcap").open("rb") as stream:
        summary = SeekingReader(stream).get_summary()
        assert summary is not None and summary.statistics is not None
        assert summary.statistics.message_count == n_messages
        assert sum(1 for _ in SeekingReader(stream).iter_messages()) == n_messages


def test_a_finished_bag_opens_everywhere_and_is_left_alone(episode):
    before = (episode / "e.mcap").read_bytes()
    opens_everywhere(episode, len(raw(episode)))
    assert not needs_repair(episode)
    report = repair(episode)
    assert not report.changed and report.n_messages == len(raw(episode)) and "whole" in str(report)
    assert (episode / "e.mcap").read_bytes() == before


def test_a_bag_without_metadata_comes_back_message_by_message(episode):
    before = raw(episode)
    unfinish(episode)
    assert needs_repair(episode)
    report = repair(episode)
    assert report.changed and report.n_messages == len(before) and report.damaged_original is None
    assert raw(episode) == before
    opens_everywhere(episode, len(before))
    assert not needs_repair(episode) and not repair(episode).changed


def test_an_unfinished_index_is_no_loss(episode):
    before, size = raw(episode), (episode / "e.mcap").stat().st_size
    unfinish(episode, size - 100)
    report = repair(episode)
    assert report.lost_bytes == 0 and report.damaged_original is None
    assert raw(episode) == before


@pytest.mark.parametrize("seed", range(12))
def test_a_bag_cut_anywhere_keeps_a_beginning_of_each_topic(episode, seed):
    before, size = raw(episode), (episode / "e.mcap").stat().st_size
    cut = random.Random(seed).randrange(size)
    left = unfinish(episode, cut)
    report = repair(episode)
    after = raw(episode)
    assert after == before[: len(after)] and report.n_messages == len(after)
    assert sum(len(data) for *_, data in after) >= cut - report.lost_bytes - 40_000, "index and headers aside"
    if report.lost_bytes:
        assert report.damaged_original is not None and report.damaged_original.read_bytes() == left
    opens_everywhere(episode, len(after))
    read_episode(episode)
    assert not repair(episode).changed


def test_a_broken_chunk_costs_only_itself_and_the_original_is_kept(episode):
    before = raw(episode)
    data = bytearray((episode / "e.mcap").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (episode / "e.mcap").write_bytes(data)
    report = repair(episode)
    assert report.changed and report.lost_bytes > 0 and "unreadable" in str(report)
    assert report.damaged_original is not None and report.damaged_original.read_bytes() == data
    after = raw(episode)
    assert 0 < len(before) - len(after) < 100
    rest = iter(before)
    assert all(message in rest for message in after), "in order, and none invented"
    read_episode(episode)
    assert not repair(episode).changed


@pytest.mark.parametrize("junk", [b"", b"\0" * 5000, b"no bag at all" * 100])
def test_a_file_of_junk_becomes_an_empty_bag_and_is_kept(episode, junk):
    unfinish(episode)
    (episode / "e.mcap").write_bytes(junk)
    report = repair(episode)
    assert (report.n_messages, report.seconds, report.lost_bytes) == (0, 0.0, len(junk))
    assert not needs_repair(episode)
    assert len(read_episode(episode).ticks) == 0


def test_zeros_after_the_last_record_are_the_damage(episode):
    """What a file system leaves of a file that grew just before the power failed."""
    before = raw(episode)
    data = unfinish(episode, -2000)
    (episode / "e.mcap").write_bytes(data + b"\0" * 4096)
    repair(episode)
    assert raw(episode) == before


def test_facts_of_the_recording_survive(tmp_path):
    path = make_episode(tmp_path / "e", seconds=0.3)
    (path / "e.mcap").write_bytes((path / "e.mcap").read_bytes()[:-20])
    repair(path)
    with Bag(path) as bag:
        assert bag.custom_data["dropped"] == "0" and bag.custom_data["repaired"] == "true"


def test_a_renamed_folder_is_repaired_too(episode):
    before = raw(episode)
    unfinish(episode)
    moved = episode.rename(episode.with_name("moved"))
    repair(moved)
    assert raw(moved) == before and [file.name for file in moved.glob("*.mcap")] == ["moved.mcap"]


def test_a_bag_that_is_being_recorded_is_left_alone(tmp_path):
    writer = BagWriter(tmp_path / "e", {"/flag": "std_msgs/msg/Bool"})
    writer.write("/flag", 1, b"\0\1\0\0\1")
    writer.flush()
    assert not needs_repair(tmp_path / "e")
    with pytest.raises(BagError, match="is being recorded"):
        repair(tmp_path / "e")
    writer.abort()
    assert needs_repair(tmp_path / "e")
    assert repair(tmp_path / "e").n_messages == 1


def test_what_was_flushed_survives_the_death_of_the_process(tmp_path):
    program = (
        "import os, sys; from pathlib import Path\n"
        "from lbm_policy_node.data.bags.bag_writer import BagWriter\n"
        "writer = BagWriter(Path(sys.argv[1]), {'/flag': 'std_msgs/msg/Bool'})\n"
        "for ns in range(10): writer.write('/flag', ns, b'\\0\\1\\0\\0\\1')\n"
        "writer.flush(); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "e")], check=False)
    assert ended.returncode == -9
    assert repair(tmp_path / "e").n_messages == 10


def test_a_repair_without_space_leaves_the_old_file(episode, tmp_path):
    """RLIMIT_FSIZE makes the kernel refuse to write a file beyond 8 KiB."""
    left = unfinish(episode, -100)
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from lbm_policy_node.data.bags.repair import repair\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "repair(Path(sys.argv[1]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(episode)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1 and "File too large" in ended.stderr
    assert (episode / "e.mcap").read_bytes() == left
    assert sorted(file.name for file in episode.iterdir()) == ["e.mcap", "episode.json", "robot.yaml"]
    assert repair(episode).changed


def test_a_folder_without_a_bag_and_a_foreign_bag_are_refused(tmp_path):
    with pytest.raises(BagError, match=r"holds 0 \.mcap files"):
        repair(tmp_path)
    from mcap.writer import Writer

    with (tmp_path / "foreign.mcap").open("wb") as stream:
        writer = Writer(stream)
        writer.start()
        schema = writer.register_schema("json", "jsonschema", b"{}")
        writer.add_message(writer.register_channel("/x", "json", schema), 1, b"{}", 1)
        writer.flush()
    with pytest.raises(BagError, match="no recording of lbm_policy"):
        repair(tmp_path)
