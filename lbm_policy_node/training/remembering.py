# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From a dataset and a cap on episodes to the part of it that is learned from."""

from __future__ import annotations

import numpy as np

from lbm_policy_node.core.episodes.labels import StepMode
from lbm_policy_node.data.datasets.dataset_reader import Dataset, DatasetError
from lbm_policy_node.data.datasets.features import MODE_KEY
from lbm_policy_node.data.datasets.memory import StoredEpisode, select_episodes

_NEED_MODES = ("lfi", "mfi")


def remembered(dataset: Dataset, rule: str, cap: int, *, seed: int = 0) -> Dataset:
    """Return the episodes that stay in a memory of a size.

    Their order in time is that of recording where the dataset says when that was, else that of their numbers.

    Args:
        dataset: All episodes.
        rule: "all", or a key of data.memory.MEMORY_RULES.
        cap: Most episodes to keep; ignored by "all".
        seed: Decides "uniform".

    Raises:
        DatasetError: The rule asks who drove and the dataset does not say.
    """
    if rule == "all":
        return dataset
    if rule in _NEED_MODES and dataset.control_modes is None:
        raise DatasetError(
            f"'{dataset.root}' has no column '{MODE_KEY}', which the memory rule '{rule}' needs; "
            "record who drove, or keep episodes by oldest, newest or uniform"
        )
    try:
        stored = [_stored(dataset, number, time) for number, time in _times(dataset).items()]
    except ValueError as error:
        raise DatasetError(f"column '{MODE_KEY}' of '{dataset.root}': {error}") from error
    return dataset.subset(select_episodes(stored, rule, cap, seed=seed))


def _times(dataset: Dataset) -> dict[int, int]:
    """Number of an episode to when it was recorded; to its number unless that is known of all."""
    numbers = [row["episode_index"] for row in dataset.episodes]
    sources = dataset.contents.sources
    if all("recorded_ns" in sources.get(number, {}) for number in numbers):
        return {number: sources[number]["recorded_ns"] for number in numbers}
    return {number: number for number in numbers}


def _stored(dataset: Dataset, number: int, time: int) -> StoredEpisode:
    steps = dataset.steps_of(number)
    modes = dataset.control_modes
    if modes is None:
        modes = np.full(len(dataset), StepMode.ROBOT)
    return StoredEpisode.of(number, time, modes[steps])
