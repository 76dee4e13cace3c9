# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of episodes as a monitor sees them: arrays and JSON, no pickle.

Version 2 keeps every field of every chunk, and no number is rounded; messages/chunks.py says how.

Version 1 is still read. It kept samples and actions as float32; it took checkpoint_id, guided, stochastic,
execution_horizon and action_names from the first chunk for all of them; and it left out input_streams and
input_stamps_ns, which are then empty.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.messages.chunks import ChunkColumns, chunks_from_columns, columns_from_chunks

VERSION = 2
SUFFIX = ".chunks.npz"
_DESCRIBED = ("episode_id", "task", "success", "success_ns", "meta")
_REWARDS = ("reward_stamps_ns", "rewards")
_PER_CHUNK_1 = ("chunk_id", "observation_stamp_ns", "start_ns", "step_ns", "seed", "index", "inference_s")
_SHARED_1 = ("checkpoint_id", "guided", "stochastic", "execution_horizon")


class EpisodeFileError(ValueError):
    """A file of chunks cannot be read; the text names the file and what is wrong."""


def write_episode(episode: ChunkEpisode, path: Path) -> None:
    """Write the file, whole or not at all.

    Raises:
        ValueError: There is no chunk, or a chunk's number is outside the range of its type in the file.
    """
    if not episode.chunks:
        raise ValueError("an episode without chunks cannot be written")
    columns = columns_from_chunks(episode.chunks)
    header: dict[str, Any] = {"version": VERSION, "chunks": columns.texts}
    header |= {key: getattr(episode, key) for key in _DESCRIBED} | {"meta": dict(episode.meta)}
    content = {key: getattr(episode, key) for key in _REWARDS} | dict(columns.arrays)
    content["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **content)
    partial.replace(path)


def read_episode(path: Path) -> ChunkEpisode:
    """Read a file of this version or of version 1.

    Raises:
        FileNotFoundError: There is no such file.
        EpisodeFileError: It is truncated, of another version, or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        header = json.loads(bytes(arrays.pop("header")))
        return ChunkEpisode(
            **{key: header[key] for key in _DESCRIBED},
            **{key: arrays.pop(key) for key in _REWARDS},
            chunks=_chunks(arrays, header),
        )
    except FileNotFoundError:
        raise
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise EpisodeFileError(f"{path} is no file of action chunks: {error}") from error


def read_folder(folder: Path) -> Iterator[ChunkEpisode]:
    """Read every episode in a folder and below, in the order of the paths.

    Raises:
        EpisodeFileError: There is none, or one cannot be read.
    """
    paths = sorted(folder.rglob(f"*{SUFFIX}"))
    if not paths:
        raise EpisodeFileError(f"{folder} holds no episodes (*{SUFFIX})")
    return (read_episode(path) for path in paths)


def read_episodes(paths: Sequence[Path]) -> Iterator[ChunkEpisode]:
    """Read files and folders of action chunks.

    Raises:
        EpisodeFileError: A file cannot be read, or a folder holds none.
    """
    for path in paths:
        if path.is_dir():
            yield from read_folder(path)
        else:
            yield read_episode(path)


def _chunks(arrays: Mapping[str, Array], header: Mapping[str, Any]) -> tuple[ActionChunk, ...]:
    version = header["version"]
    if version == VERSION:
        return chunks_from_columns(ChunkColumns(arrays, header["chunks"]))
    if version == 1:
        return _chunks_of_version_1(arrays, header)
    raise ValueError(f"version {version}, expected 1 to {VERSION}")


def _chunks_of_version_1(arrays: Mapping[str, Array], header: Mapping[str, Any]) -> tuple[ActionChunk, ...]:
    shared: dict[str, Any] = {key: header[key] for key in _SHARED_1}
    shared["action_names"] = tuple(header["action_names"])
    return tuple(
        ActionChunk(
            **{key: arrays[key][i].item() for key in _PER_CHUNK_1},
            **{key: arrays[key][i] for key in ("actions", "samples", "embedding")},
            **shared,
            instruction=instruction,
        )
        for i, instruction in enumerate(header["instructions"])
    )
