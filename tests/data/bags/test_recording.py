# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The thread that writes: order, bounds, a full disk, and what it leaves behind."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.places import TESTS
from helpers.small_disk import fill, small_disk
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.data.bags.message_queue import MessageQueue, RawMessage
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.bags.recording import Recording, new_episode_id
from lbm_policy_node.data.bags.recording_limits import MEBIBYTE, RecordingLimits
from lbm_policy_node.data.bags.repair import repair
from lbm_policy_node.data.episodes.episode_header import EpisodeHeader

PATIENCE_S = 30.0
TOPICS = {"/image": "sensor_msgs/msg/Image", "/flag": "std_msgs/msg/Bool"}
FLAG = b"\0\1\0\0\1"
BLOCK = bytes(256 * 1024)


class Writing:
    """A recording and what it says."""

    def __init__(self, folder: Path, *, min_free_mb: int = 0, queue_mb: int = 64) -> None:
        self.woken = threading.Event()
        header = EpisodeHeader(
            episode_id=new_episode_id(), started_at="", started_ns=1, instruction="", robot="toy", roles={}
        )
        limits = RecordingLimits(
            queue_bytes=queue_mb * MEBIBYTE, queue_messages=1000, min_free_bytes=min_free_mb * MEBIBYTE
        )
        self.recording = Recording(
            folder, header, "name: toy", TOPICS, types=MessageTypes(), limits=limits, wake=self.woken.set
        )

    def close(self, **facts: str) -> Path:
        self.recording.finish(facts)
        assert self.recording.wait(PATIENCE_S)
        return self.recording.path


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size_mb=8) as path:
        yield path


def test_what_is_put_is_written_in_order_with_facts_and_counts(tmp_path):
    writing = Writing(tmp_path)
    sent = [("/flag" if i % 3 else "/image", 1000 + i, FLAG + bytes(i)) for i in range(500)]
    assert all(writing.recording.put(*message) for message in sent)
    with Bag(writing.close(outcome="SUCCESS")) as bag:
        assert [(topic, log_ns, bytes(data)) for topic, log_ns, data in bag.raw()] == sent
        assert bag.custom_data == {"outcome": "SUCCESS", "dropped": "0", "dropped_topics": "{}"}
    assert writing.recording.done and not writing.recording.failed
    assert writing.recording.n_messages == 500
    assert writing.recording.n_bytes == sum(len(data) for *_, data in sent)
    assert writing.woken.is_set()


def test_what_waits_leaves_the_process_without_being_asked(tmp_path):
    """The file grows while the episode is open: a killed process loses no more than what is younger."""
    writing = Writing(tmp_path)
    file = writing.recording.path / f"{writing.recording.path.name}.mcap"
    before = file.stat().st_size
    writing.recording.put("/flag", 1, FLAG)
    for _ in range(round(PATIENCE_S / 0.05)):
        if file.stat().st_size > before:
            break
        threading.Event().wait(0.05)
    assert file.stat().st_size > before
    writing.close()


def test_queue_is_bounded_in_bytes_and_in_messages_and_counts_what_it_drops():
    queue = MessageQueue(max_bytes=100, max_messages=3)
    assert queue.put(RawMessage("/a", 1, bytes(60)))
    assert not queue.put(RawMessage("/a", 2, bytes(41)))
    assert queue.put(RawMessage("/b", 3, bytes(40))) and queue.share == 1.0
    assert queue.put(RawMessage("/b", 4, b""))
    assert not queue.put(RawMessage("/b", 5, b""))
    assert queue.dropped == {"/a": 1, "/b": 1}
    assert [message.log_ns for message in iter(queue.pop, None)] == [1, 3, 4]
    assert queue.share == 0.0 and queue.put(RawMessage("/a", 6, bytes(100)))


def test_dropped_messages_are_named_in_the_bag(tmp_path):
    writing = Writing(tmp_path, queue_mb=1)
    assert not writing.recording.put("/image", 1, bytes(2 * MEBIBYTE)), "larger than the whole queue"
    assert writing.recording.put("/flag", 2, FLAG)
    with Bag(writing.close()) as bag:
        assert bag.custom_data["dropped"] == "1"
        assert json.loads(bag.custom_data["dropped_topics"]) == {"/image": 1}
        assert bag.counts == {"/image": 0, "/flag": 1}


def test_too_little_space_refuses_to_begin_and_leaves_nothing(disk):
    with pytest.raises(OSError, match="min_free_mb is 16") as refused:
        Writing(disk, min_free_mb=16)
    assert refused.value.errno == 28
    assert list(disk.iterdir()) == []


def test_space_running_out_is_said_while_the_file_can_still_be_finished(disk):
    writing = Writing(disk, min_free_mb=4)
    for i in range(20):
        assert writing.recording.put("/image", i, BLOCK)
    assert writing.woken.wait(PATIENCE_S)
    assert writing.recording.reason.code is ReasonCode.DISK_FULL and not writing.recording.failed
    with Bag(writing.close()) as bag:
        assert bag.counts["/image"] == 20


def test_a_full_disk_ends_writing_and_what_reached_it_can_be_repaired(disk):
    ballast = fill(disk, 5 * MEBIBYTE)
    writing = Writing(disk)
    for i in range(40):
        writing.recording.put("/image", i, BLOCK)
    assert writing.woken.wait(PATIENCE_S) and writing.recording.wait(PATIENCE_S)
    assert writing.recording.failed and writing.recording.reason.code is ReasonCode.DISK_FULL
    assert "lbm episodes repair" in writing.recording.reason.text
    assert not writing.recording.put("/flag", 99, FLAG), "nothing is taken that cannot be kept"
    assert writing.recording.queue_share == 0.0
    ballast.unlink()
    report = repair(writing.recording.path)
    assert 5 <= report.n_messages <= 12, "of 256 KiB each, in 3 MiB"
    with Bag(writing.recording.path) as bag:
        assert [log_ns for _, log_ns, _ in bag.raw()] == list(range(report.n_messages))


def test_a_file_that_may_not_grow_is_a_failure_with_its_reason(tmp_path):
    """RLIMIT_FSIZE: the kernel refuses, as a quota or a broken disk does; needs no root."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        f"sys.path[:0] = [{str(TESTS)!r}, {str(TESTS / 'data' / 'bags')!r}]\n"
        "from test_recording import BLOCK, Writing\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"
        "recording = Writing(Path(sys.argv[1])).recording\n"
        "for i in range(40): recording.put('/image', i, BLOCK)\n"
        "assert recording.wait(30.0) and recording.failed\n"
        "print(recording.reason)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("RECORDING_FAILED: File too large; then run: lbm episodes repair")
    (path,) = tmp_path.iterdir()
    assert repair(path).n_messages == 3, "of 256 KiB each, in 1 MiB, where the fourth does not fit whole"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        Writing(tmp_path / "file")


@pytest.mark.parametrize(
    "wrong", [{"queue_bytes": 0}, {"queue_messages": 0}, {"min_free_bytes": -1}], ids=lambda w: next(iter(w))
)
def test_limits_check_themselves(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RecordingLimits(**wrong)
