# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of action chunks come back as they were, and a damaged one is named."""

import dataclasses

import numpy as np
import pytest

from helpers.builders import make_chunk
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.data.episodes.chunk_episodes import (
    EpisodeFileError,
    read_episode,
    read_folder,
    write_episode,
)


def _chunk(number: int) -> ActionChunk:
    random = np.random.default_rng(number)
    samples = random.normal(size=(3, 4, 2)).astype(np.float32)
    return make_chunk(
        samples=samples,
        chunk_id=number + 1,
        observation_stamp_ns=1_700_000_000_000_000_000 + number * 200_000_000,
        action_names=("x", "grip"),
        seed=number,
        checkpoint_id="abc",
        instruction="öffne die Tür",
        stochastic=True,
        inference_s=0.25,
        index=number,
        execution_horizon=4,
        embedding=random.normal(size=5).astype(np.float32),
    )


def _episode() -> ChunkEpisode:
    chunks = tuple(_chunk(number) for number in range(4))
    return ChunkEpisode(
        episode_id="door-7",
        task="door",
        success=True,
        success_ns=chunks[2].observation_stamp_ns,
        chunks=chunks,
        reward_stamps_ns=np.array([1, 2], np.int64),
        rewards=np.array([0.5, 1.0]),
        meta={"seed": 7},
    )


def test_an_episode_comes_back_as_it_was(tmp_path):
    episode, path = _episode(), tmp_path / "a" / "7.chunks.npz"
    write_episode(episode, path)
    back = read_episode(path)
    assert (back.episode_id, back.task, back.success, back.success_ns, back.meta) == (
        "door-7", "door", True, episode.success_ns, {"seed": 7},
    )  # fmt: skip
    np.testing.assert_array_equal(back.rewards, episode.rewards)
    for ours, theirs in zip(episode.chunks, back.chunks, strict=True):
        for field in dataclasses.fields(ActionChunk):
            np.testing.assert_array_equal(getattr(theirs, field.name), getattr(ours, field.name), field.name)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["7.chunks.npz"]


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
    with pytest.raises(EpisodeFileError, match="version 99, expected 1"):
        read_episode(path)


def test_a_folder_without_episodes_says_so(tmp_path):
    with pytest.raises(EpisodeFileError, match="holds no episodes"):
        read_folder(tmp_path)
