# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of episodes as a monitor sees them: arrays and JSON, no pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.types import ActionChunk, Array

VERSION = 1
SUFFIX = ".chunks.npz"
_PER_CHUNK = ("chunk_id", "observation_stamp_ns", "start_ns", "step_ns", "seed", "index", "inference_s")
_DESCRIBED = ("episode_id", "task", "success", "success_ns")
_SHARED = ("action_names", "checkpoint_id", "guided", "stochastic", "execution_horizon")


class EpisodeFileError(ValueError):
    """A file of chunks cannot be read; the text names the file and what is wrong."""


def write_episode(episode: ChunkEpisode, path: Path) -> None:
    """Write the file, whole or not at all; samples and actions as float32.

    Raises:
        ValueError: There is no chunk, or the chunks differ in layout.
    """
    content = _arrays(episode.chunks)
    content |= {"reward_stamps_ns": episode.reward_stamps_ns, "rewards": episode.rewards}
    header: dict[str, Any] = {"version": VERSION, "meta": dict(episode.meta)}
    header |= {key: getattr(episode, key) for key in _DESCRIBED}
    header |= {key: getattr(episode.chunks[0], key) for key in _SHARED}
    header["instructions"] = [chunk.instruction for chunk in episode.chunks]
    content["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **content)
    partial.replace(path)


def read_episode(path: Path) -> ChunkEpisode:
    """Read a file.

    Raises:
        FileNotFoundError: There is no such file.
        EpisodeFileError: It is truncated, of another version, or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        header = json.loads(bytes(arrays.pop("header")))
        if header["version"] != VERSION:
            raise ValueError(f"version {header['version']}, expected {VERSION}")
        return ChunkEpisode(
            **{key: header[key] for key in (*_DESCRIBED, "meta")},
            chunks=_chunks(arrays, header),
            reward_stamps_ns=arrays["reward_stamps_ns"],
            rewards=arrays["rewards"],
        )
    except FileNotFoundError:
        raise
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
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


def _arrays(chunks: Sequence[ActionChunk]) -> dict[str, Array]:
    if not chunks:
        raise ValueError("an episode without chunks cannot be written")
    arrays: dict[str, Array] = {key: np.array([getattr(c, key) for c in chunks]) for key in _PER_CHUNK}
    for key in ("actions", "samples", "embedding"):
        arrays[key] = np.stack([getattr(chunk, key) for chunk in chunks]).astype(np.float32)
    return arrays


def _chunks(arrays: Mapping[str, Array], header: Mapping[str, Any]) -> tuple[ActionChunk, ...]:
    shared: dict[str, Any] = {key: header[key] for key in _SHARED} | {
        "action_names": tuple(header["action_names"])
    }
    return tuple(
        ActionChunk(
            **{key: arrays[key][i].item() for key in _PER_CHUNK},
            **{key: arrays[key][i] for key in ("actions", "samples", "embedding")},
            **shared,
            instruction=instruction,
        )
        for i, instruction in enumerate(header["instructions"])
    )
