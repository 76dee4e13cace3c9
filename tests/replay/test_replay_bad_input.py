# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording that cannot be replayed, in whole or in part, says which stream, stamp or chunk is to blame."""

import pytest

from helpers.replay_maker import make_recording, rewrite
from lbm_policy_node.data.bags.bags import BagError
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.replay.candidate import Candidate
from lbm_policy_node.replay.limits import Limits, judge
from lbm_policy_node.replay.run import replay

WRIST, CHUNKS = "/camera/wrist/image_raw", "/action_chunks"


def test_a_topic_that_was_not_recorded_is_named(checkpoint, tmp_path):
    episode = make_recording(tmp_path / "blind", checkpoint, seconds=0.6, leave_out=(WRIST,))
    with pytest.raises(BagError, match=r"/camera/wrist/image_raw \(stream 'wrist'.*was not recorded"):
        replay(episode, Candidate.load(checkpoint))


def test_an_episode_without_chunks_is_refused(checkpoint, tmp_path):
    episode = make_recording(tmp_path / "demo", checkpoint, seconds=0.6, leave_out=(CHUNKS,))
    with pytest.raises(BagError, match="nothing to replay"):
        replay(episode, Candidate.load(checkpoint))


def test_a_lost_image_makes_one_chunk_not_reproducible_and_names_stream_and_stamp(
    recording, checkpoint, tmp_path
):
    lost = rewrite(
        recording, tmp_path / "lost", lambda _topic, number, _message: [] if number == 8 else None, {WRIST}
    )
    report = replay(lost, Candidate.load(checkpoint))
    (one,) = report.lost
    assert one.why == f"no message of 'wrist' ({WRIST}) is stamped 100.400000000 s"
    assert len(report.chunks) == report.n_recorded - 1 and report.largest_difference <= 1e-4
    (reason,) = judge(report, Limits()).reasons
    assert "1 of 8 chunks are not reproducible" in reason and "'wrist'" in reason
    lenient = judge(report, Limits(allow_missing=0.2))
    assert lenient.passed and "not reproducible" in lenient.notes[0]


def test_an_image_of_another_size_is_the_gates_reason(recording, checkpoint, tmp_path):
    def shrink(_topic, number, message):
        if number != 0:
            return None
        message.height -= 1
        message.data = message.data[: message.height * message.step]
        return [message]

    report = replay(rewrite(recording, tmp_path / "small", shrink, {WRIST}), Candidate.load(checkpoint))
    assert "'wrist' is 24x23" in report.lost[0].why


def test_nothing_reproduced_fails_whatever_is_allowed(recording, checkpoint, tmp_path):
    lost = rewrite(
        recording, tmp_path / "none", lambda _topic, number, _message: [] if number else None, {WRIST}
    )
    report = replay(lost, Candidate.load(checkpoint))
    first = [chunk.chunk_id for chunk in report.chunks]
    assert first == [1]  # its history is one image, twice
    gone = rewrite(lost, tmp_path / "gone", lambda _t, n, _m: [] if n == 0 else None, {CHUNKS})
    (reason,) = judge(replay(gone, Candidate.load(checkpoint)), Limits(allow_missing=1.0)).reasons
    assert "no chunk could be replayed" in reason


def test_a_broken_chunk_counts_as_not_reproducible(recording, checkpoint, tmp_path):
    def cut(_topic, number, message):
        if number != 3:
            return None
        message.samples = message.samples[:-1]
        return [message]

    report = replay(rewrite(recording, tmp_path / "cut", cut, {CHUNKS}), Candidate.load(checkpoint))
    assert len(report.broken) == 1 and "samples has" in report.broken[0]
    (reason,) = judge(report, Limits()).reasons
    assert "samples has" in reason


def test_a_chunk_of_another_robot_is_not_compared(recording, checkpoint, tmp_path):
    def rename(_topic, _number, message):
        message.action_names = ["a", "b", "c", "d"]
        return [message]

    report = replay(rewrite(recording, tmp_path / "other", rename, {CHUNKS}), Candidate.load(checkpoint))
    assert not report.chunks and "['a', 'b', 'c', 'd']" in report.lost[0].why


def test_a_checkpoint_for_another_robot_is_refused(recording):
    with pytest.raises(CheckpointError, match="128x128"):
        replay(recording, Candidate.load(shared_path("checkpoints/weightless")))


def test_an_unfinished_bag_names_the_repair(checkpoint, tmp_path):
    episode = make_recording(tmp_path / "killed", checkpoint, seconds=0.4)
    (episode / "metadata.yaml").unlink()
    with pytest.raises(BagError, match="lbm episodes repair"):
        replay(episode, Candidate.load(checkpoint))


class Foreign(MessageTypes):
    """Embeds a definition with a type that nobody knows."""

    def definition(self, type_name):
        text, digest = super().definition(type_name)
        return text.replace("float64[] proposed", "float65[] proposed"), digest


def test_a_definition_that_cannot_be_read_is_named(recording, checkpoint, tmp_path):
    episode = rewrite(recording, tmp_path / "foreign", lambda *_: None, set(), definitions=Foreign())
    with pytest.raises(BagError, match="lbm_msgs/msg/ControlState"):
        replay(episode, Candidate.load(checkpoint))


def test_a_policy_that_raises_is_a_finding(recording, checkpoint, monkeypatch):
    candidate = Candidate.load(checkpoint)
    infer = candidate.policy.infer

    def sometimes(history, **request):
        if request["seed"] == 4:
            raise ValueError("out of order")
        return infer(history, **request)

    monkeypatch.setattr(candidate.policy, "infer", sometimes)
    report = replay(recording, candidate)
    (reason,) = judge(report, Limits()).reasons
    assert reason == "the policy failed on chunk 4: out of order"
