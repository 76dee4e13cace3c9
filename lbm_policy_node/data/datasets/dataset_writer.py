# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Adds episodes to a LeRobotDataset v3.0: staged one by one, committed together."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_commit import commit, remove_leftovers
from lbm_policy_node.data.datasets.dataset_contents import DatasetContents, DatasetError
from lbm_policy_node.data.datasets.dataset_format import (
    DATA_FILE_MB,
    INFO,
    VIDEO_FILE_MB,
    info_differences,
    new_info,
)
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.data.datasets.staging import EpisodeStage, StagedEpisode

STAGING, LOCK = ".staging", ".lock"


class DatasetWriter:
    """A context manager: a clean exit commits, else the dataset stays as it was.

    Episodes that were staged under a name stay in the folder after a crash, and can be used again.

    Attributes:
        root: The dataset's folder.
        features: Of the dataset.
        contents: The dataset before this writer.
    """

    def __init__(
        self,
        root: Path,
        features: Features,
        *,
        fps: int,
        robot_type: str,
        append: bool = False,
        data_file_mb: float = DATA_FILE_MB,
        video_file_mb: float = VIDEO_FILE_MB,
    ) -> None:
        """Open the folder.

        Args:
            root: New or empty, or with `append` a dataset or the rest of an interrupted writing.
            features: Of each episode.
            fps: Steps per second.
            robot_type: Name of the robot.
            append: Go on with what is there.
            data_file_mb: A new table begins beyond this size; an existing dataset's own limit counts there.
            video_file_mb: Likewise for videos.

        Raises:
            FileExistsError: There is something and it is not to be appended to, or another writer is at work.
            DatasetError: The dataset there has other features, another rate or another robot.
        """
        self.root, self.features, self._fps = root, features, fps
        info = new_info(features, fps=fps, robot_type=robot_type)
        info |= {"data_files_size_in_mb": data_file_mb, "video_files_size_in_mb": video_file_mb}
        names = {path.name for path in root.iterdir()} if root.exists() else set[str]()
        there = (root / INFO).exists()
        if names and not append:
            raise FileExistsError(f"'{root}' exists and is not empty; choose another folder or delete it")
        if not there and names - {STAGING, "data", "videos", "meta"}:
            raise FileExistsError(f"'{root}' is no dataset and not empty: it has {sorted(names)[:5]}")
        self.contents = DatasetContents.read(root) if there else DatasetContents(root, info, (), (), {})
        self.check(features, fps=fps, robot_type=robot_type)
        self._staging = root / STAGING
        self._staging.mkdir(parents=True, exist_ok=True)
        self._lock = self._locked()
        remove_leftovers(self.contents)
        self._staged: list[StagedEpisode] = []

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._lock.close()

    def check(self, features: Features, *, fps: int, robot_type: str) -> None:
        """Check that episodes of these features fit.

        Raises:
            DatasetError: With every difference.
        """
        here = new_info(features, fps=fps, robot_type=robot_type)
        if differences := info_differences(self.contents.info, here):
            text = f"'{self.root}' is another dataset: {'; '.join(differences)}"
            raise DatasetError(f"{text}; give another folder")

    def stage(self, name: str, settings: Mapping[str, Any] | None = None) -> EpisodeStage:
        """Begin an episode; `add` what its `finish` returns."""
        return EpisodeStage(self._staging / name, self.features, self._fps, self._settings(settings))

    def staged(self, name: str, settings: Mapping[str, Any] | None = None) -> StagedEpisode | None:
        """Return an episode that an interrupted writing staged with the same settings, if there is one."""
        episode = StagedEpisode.load(self._staging / name)
        return episode if episode and episode.settings == self._settings(settings) else None

    def add(self, episode: StagedEpisode) -> None:
        """Take an episode into the next commit."""
        self._staged.append(episode)

    def add_episode(
        self, columns: Mapping[str, Array], images: Mapping[str, Array], task: str | Sequence[str]
    ) -> None:
        """Stage and add an episode that is in memory.

        Args:
            columns: One array (T, n) per vector feature and (T,) per single number.
            images: One uint8 RGB array (T, H, W, 3) per camera.
            task: The instruction, or each step's own.

        Raises:
            ValueError: If features or lengths do not fit.
        """
        self._check(columns, images)
        length = len(next(iter(columns.values())))
        stage = self.stage(f"{len(self._staged):06d}")
        try:
            for step in range(length):
                stage.push({key: frames[step] for key, frames in images.items()})
            self.add(stage.finish(columns, [task] * length if isinstance(task, str) else task, {}))
        except BaseException:
            stage.abort()
            raise

    def close(self) -> None:
        """Commit what was added, and forget everything staged."""
        commit(self.contents, self.features, self._staged)
        shutil.rmtree(self._staging)
        self._lock.close()

    def _settings(self, settings: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"features": self.features.to_info(self._fps), "fps": self._fps, **(settings or {})}

    def _check(self, columns: Mapping[str, Array], images: Mapping[str, Array]) -> None:
        expected = {**self.features.vectors, **self.features.scalars, **self.features.cameras}
        given = {**columns, **images}
        if given.keys() != expected.keys():
            raise ValueError(f"episode has features {sorted(given)}, the dataset {sorted(expected)}")
        lengths = {key: len(value) for key, value in given.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"every feature needs the same number of steps, got {lengths}")
        for key, (height, width) in self.features.cameras.items():
            if images[key].shape[1:] != (height, width, 3):
                raise ValueError(f"'{key}' must be (T, {height}, {width}, 3), is {images[key].shape}")

    def _locked(self) -> Any:
        lock = (self._staging / LOCK).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise FileExistsError(f"'{self.root}' is being written to by another process") from error
        return lock
