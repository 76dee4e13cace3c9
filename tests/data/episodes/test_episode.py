# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded episode reads back as what happened; a damaged one says what is wrong and what to do."""

import json

import numpy as np
import pytest

from helpers.episode_maker import START_NS, TICK_NS, make_episode
from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_records import EventKind, Outcome


@pytest.fixture(scope="module")
def rescued(tmp_path_factory):
    folder = tmp_path_factory.mktemp("episodes") / "rescued"
    return read_episode(make_episode(folder, seconds=2.0, takeovers=((0.8, 1.4),)))


def test_every_tick_is_there_with_who_drove(rescued):
    assert len(rescued.ticks) == 160
    assert (np.diff(rescued.ticks.stamps_ns) == TICK_NS).all()
    ((first_ns, last_ns),) = rescued.human_intervals_ns
    assert (first_ns - START_NS) * 1e-9 == pytest.approx(0.8, abs=1e-6)
    assert (last_ns + TICK_NS - START_NS) * 1e-9 == pytest.approx(1.4, abs=1e-6)
    assert set(np.array(rescued.ticks.sources)[rescued.ticks.modes == ControlMode.HUMAN]) == {"gamepad"}


def test_what_the_policy_wanted_while_the_operator_drove_is_there(rescued):
    human = rescued.ticks.modes == ControlMode.HUMAN
    assert np.isfinite(rescued.ticks.proposed[human]).all(axis=1).sum() > 20


def test_events_and_outcome(rescued):
    kinds = [event.kind for event in rescued.events]
    assert kinds == [
        EventKind.STARTED,
        EventKind.TAKEOVER,
        EventKind.HANDBACK,
        EventKind.SUCCESS,
        EventKind.ENDED,
    ]
    assert rescued.outcome is Outcome.SUCCESS


def test_chunks_know_the_messages_that_they_were_computed_from(rescued):
    stamps = {(s.stream, s.stamp_ns) for s in rescued.samples()}
    assert len(rescued.chunks) >= 4 and not rescued.broken_chunks
    for recorded in rescued.chunks:
        for row in recorded.chunk.input_stamps_ns:
            assert set(zip(recorded.chunk.input_streams, row, strict=True)) <= stamps


def test_images_come_back_pixel_by_pixel(rescued):
    samples = [s for s in rescued.samples(["front"])]
    assert len(samples) == 40
    assert samples[0].value.shape == (128, 128, 3)
    assert sorted(np.unique(samples[0].value)) == [90, 255]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(None, Outcome.UNKNOWN), (EventKind.FAILURE, Outcome.FAILURE), (EventKind.DISCARDED, Outcome.DISCARDED)],
)
def test_the_outcome_is_the_last_word(tmp_path, outcome, expected):
    assert read_episode(make_episode(tmp_path / "e", seconds=0.2, outcome=outcome)).outcome is expected


def test_an_unfinished_bag_names_the_repair(tmp_path):
    path = make_episode(tmp_path / "e", seconds=0.2)
    (path / "metadata.yaml").unlink()
    with pytest.raises(BagError, match="lbm episodes repair"):
        read_episode(path)


@pytest.mark.parametrize("keep", [0, 100, 0.5, -9])
def test_a_cut_file_names_the_repair(tmp_path, keep):
    path = make_episode(tmp_path / "e", seconds=0.5)
    file = path / "e.mcap"
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(BagError, match="lbm episodes repair"):
        read_episode(path)


def test_a_missing_topic_leaves_the_rest_readable(tmp_path):
    episode = read_episode(make_episode(tmp_path / "e", seconds=0.3, leave_out=("/camera/wrist/image_raw",)))
    assert "/camera/wrist/image_raw" not in episode.counts
    assert not list(episode.samples(["wrist"])) and list(episode.samples(["front"]))


def test_a_header_of_a_newer_version_is_refused(tmp_path):
    path = make_episode(tmp_path / "e", seconds=0.2)
    header = json.loads((path / "episode.json").read_text())
    (path / "episode.json").write_text(json.dumps(header | {"format": 2}))
    with pytest.raises(BagError, match="update lbm_policy"):
        read_episode(path)


def test_a_spec_that_is_broken_is_named(tmp_path):
    path = make_episode(tmp_path / "e", seconds=0.2)
    (path / "robot.yaml").write_text("name: [")
    with pytest.raises(BagError, match="robot spec of the recording"):
        read_episode(path)


def test_a_folder_that_is_no_episode_is_named(tmp_path):
    with pytest.raises(BagError, match="no recorded episode"):
        read_episode(tmp_path)
    with pytest.raises(BagError, match="no folder"), Bag(tmp_path / "nothing"):
        pass
