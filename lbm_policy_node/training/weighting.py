# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From who drove each step of a dataset to how much the step counts in training."""

from __future__ import annotations

import numpy as np

from lbm_policy_node.core.episodes.labels import step_classes
from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_reader import Dataset, DatasetError
from lbm_policy_node.data.datasets.features import CLASS_KEY, MODE_KEY
from lbm_policy_node.data.datasets.sample_weights import step_weights


def dataset_weights(dataset: Dataset, rule: str) -> Array | None:
    """Weigh the steps of a dataset.

    Classes are the exported ones, which know the true times (steps in which nothing drove are not in a
    dataset). Where there are none they are derived from who drove, episode by episode.

    Args:
        dataset: With the column `sirius_class` or `control_mode`, unless the rule is "none".
        rule: "sirius", "iwr" or "none".

    Returns:
        Weights with a mean of 1, float64 (N,); None for "none".

    Raises:
        DatasetError: If the dataset does not say who drove, or says what is no mode.
    """
    if rule == "none":
        return None
    if dataset.classes is not None:
        try:
            return step_weights(dataset.classes, rule)
        except ValueError as error:
            raise DatasetError(f"column '{CLASS_KEY}' of '{dataset.root}': {error}") from error
    modes = dataset.control_modes
    if modes is None:
        raise DatasetError(
            f"'{dataset.root}' has no column '{MODE_KEY}', which the weights '{rule}' need; "
            "record who drove, or train with --weights none"
        )
    # A step's time is its place: the format has a fixed rate.
    stamps_ns = np.round(np.arange(len(dataset)) * 1e9 / dataset.fps).astype(np.int64)
    try:
        parts = [
            step_classes(modes[start:end], stamps_ns[start:end])
            for start, end in np.unique(np.stack([dataset.starts, dataset.ends]), axis=1).T
        ]
    except ValueError as error:
        raise DatasetError(f"column '{MODE_KEY}' of '{dataset.root}': {error}") from error
    return step_weights(np.concatenate(parts), rule)
