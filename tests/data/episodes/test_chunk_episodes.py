# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of action chunks come back as they were, and a damaged one is named."""

import dataclasses
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_chunk
from helpers.chunk_strategies import action_chunks
from helpers.differing import assert_differs, assert_same_record
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.data.episodes.chunk_episodes import (
    EpisodeFileError,
    read_episode,
    read_folder,
    write_episode,
)

VERSION_1 = Path(__file__).parents[2] / "assets/chunk_episodes/version_1.chunks.npz"
"""Two chunks with the values of `_chunk_1`, written by the last code that wrote version 1."""


def _chunk(number: int) -> ActionChunk:
    random = np.random.default_rng(number)
    samples = random.normal(size=(3, 4, 2))
    return make_chunk(
        samples=samples,
        chunk_id=number + 1,
        observation_stamp_ns=1_700_000_000_000_000_000 + number * 200_000_000,
        action_names=("x", "grip"),
        index=number,
    )


def _chunk_1(number: int) -> ActionChunk:
    samples = (np.arange(12.0).reshape(2, 3, 2) + 100 * number) / 8
    return ActionChunk(
        chunk_id=11 + number,
        observation_stamp_ns=1000 + number,
        start_ns=2000 + number,
        step_ns=50 + number,
        actions=samples[1],
        samples=samples,
        action_names=("x", "grip"),
        seed=71 + number,
        checkpoint_id="abc",
        instruction=f"öffne {number}",
        guided=True,
        stochastic=True,
        inference_s=0.25 + number,
        index=31 + number,
        execution_horizon=2,
        embedding=np.array([0.5 + number, -1.0], np.float32),
    )


def _episode(chunks: tuple[ActionChunk, ...] = ()) -> ChunkEpisode:
    return ChunkEpisode(
        episode_id="door-7",
        task="door",
        success=True,
        success_ns=1_700_000_000_400_000_000,
        chunks=chunks or tuple(_chunk(number) for number in range(4)),
        reward_stamps_ns=np.array([1, 2], np.int64),
        rewards=np.array([0.1, 1.0]),
        meta={"seed": 7},
    )


def _there_and_back(episode: ChunkEpisode) -> ChunkEpisode:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a" / "7.chunks.npz"
        write_episode(episode, path)
        back = read_episode(path)
        assert [path.name for path in Path(folder).rglob("*") if path.is_file()] == ["7.chunks.npz"]
    return back


def _assert_same(back: ChunkEpisode, episode: ChunkEpisode) -> None:
    for ours, theirs in zip(episode.chunks, back.chunks, strict=True):
        assert_same_record(theirs, ours)
    assert_same_record(dataclasses.replace(back, chunks=()), dataclasses.replace(episode, chunks=()))


def test_an_episode_comes_back_as_it_was():
    episode = _episode()
    assert_differs(episode)
    _assert_same(_there_and_back(episode), episode)


@given(st.lists(action_chunks(), min_size=1, max_size=4))
def test_chunks_that_differ_in_everything_come_back_as_they_were(chunks):
    episode = _episode(tuple(chunks))
    _assert_same(_there_and_back(episode), episode)


def test_an_episode_without_success_comes_back_as_one():
    episode = dataclasses.replace(_episode(), success=False, success_ns=None)
    _assert_same(_there_and_back(episode), episode)


def test_a_file_of_version_1_is_still_read():
    back = read_episode(VERSION_1)
    for number, chunk in enumerate(back.chunks):
        assert_same_record(chunk, _chunk_1(number))
    assert (back.episode_id, back.task, back.success, back.success_ns) == ("door-7", "door", True, 1001)
    assert (back.reward_stamps_ns.tolist(), back.rewards.tolist()) == ([5, 6], [0.1, 0.2])
    assert back.meta == {"seed": 7} and len(back.chunks) == 2


@pytest.mark.parametrize(
    ("change", "named"), [({"chunk_id": -1}, "chunk_id"), ({"start_ns": 2**63}, "start_ns")]
)
def test_a_number_that_the_file_cannot_hold_is_refused_by_name(tmp_path, change, named):
    episode = _episode((dataclasses.replace(_chunk(0), **change),))
    with pytest.raises(ValueError, match=f"{named} does not fit into"):
        write_episode(episode, tmp_path / "7.chunks.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("dtype", "bytes_each"), [(np.float32, 4), (np.float64, 8)])
def test_numbers_of_a_float32_policy_take_no_more_room_than_they_need(tmp_path, dtype, bytes_each):
    samples = np.random.default_rng(0).normal(size=(64, 32, 8)).astype(dtype)
    names = tuple("abcdefgh")
    chunk = dataclasses.replace(_chunk(0), actions=samples[0], samples=samples, action_names=names)
    path = tmp_path / "7.chunks.npz"
    write_episode(_episode((chunk,)), path)
    assert path.stat().st_size == pytest.approx(bytes_each * 65 * 32 * 8, rel=0.1)


def test_an_episode_ends_with_the_success():
    assert [chunk.index for chunk in _episode().until_success()] == [0, 1, 2]
    unsolved = dataclasses.replace(_episode(), success=False, success_ns=None)
    assert len(unsolved.until_success()) == 4


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused_by_name(tmp_path, share):
    path = tmp_path / "7.chunks.npz"
    write_episode(_episode(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(EpisodeFileError, match=r"7\.chunks\.npz"):
        read_episode(path)


def test_a_file_of_another_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "7.chunks.npz"
    monkeypatch.setattr("lbm_policy_node.data.episodes.chunk_episodes.VERSION", 99)
    write_episode(_episode(), path)
    monkeypatch.undo()
    with pytest.raises(EpisodeFileError, match="version 99, expected 1 to 2"):
        read_episode(path)


def test_a_folder_without_episodes_says_so(tmp_path):
    with pytest.raises(EpisodeFileError, match="holds no episodes"):
        read_folder(tmp_path)
