# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Training samples of pi0 and pi0.5: one observation, and actions relative to its joints where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.policies.checkpoint.extensions import Extensions
from lbm_policy_node.policies.checkpoint.features import STATE_KEY, Feature
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.relative import RelativeActions
from lbm_policy_node.training.samples import ChunkSamples


@dataclass(frozen=True)
class Layout:
    """The shape of a sample."""

    image_features: Mapping[str, Feature]
    horizon: int
    n_obs_steps: int = 1
    lbm_extensions: Extensions = field(default_factory=Extensions)


class Pi0Samples(ChunkSamples):
    """Random access to training samples."""

    def __init__(self, dataset: Dataset, config: Pi0Config, weights: Array | None = None) -> None:
        """As `ChunkSamples`, with pi0's rule for relative actions."""
        super().__init__(dataset, Layout(config.real_cameras, config.chunk_size), weights)
        names = config.action_feature_names
        self._relative = RelativeActions(config.use_relative_actions, config.relative_exclude_joints, names)

    def actions(self, steps: Array) -> tuple[Array, Array]:
        """As in `ChunkSamples`; relative columns are relative to the state at the chunk's first row."""
        action, padding = super().actions(steps)
        state = self.dataset.vectors[STATE_KEY][steps]
        return self._relative.to_relative(action, state).astype(np.float32), padding
