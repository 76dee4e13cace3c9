# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Turns steps of a dataset into training batches: observations and the chunk of actions that follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.data.datasets.sample_weights import chunk_weights
from lbm_policy_node.data.datasets.statistics import vector_stats
from lbm_policy_node.policies.action_space import to_relative
from lbm_policy_node.policies.checkpoint.extensions import Extensions
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, TOKENS_KEY, Feature
from lbm_policy_node.policies.multitask_dit.model import PADDING_KEY, WEIGHTS_KEY
from lbm_policy_node.policies.normalization import Normalizer

# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of tensors that exist in training batches only."""

GOAL_KEY = "goal"


class ChunkLayout(Protocol):
    """The part of a policy's configuration that shapes a sample."""

    @property
    def image_features(self) -> Mapping[str, Feature]:
        """The cameras."""
        ...

    @property
    def n_obs_steps(self) -> int:
        """Observations per sample."""
        ...

    @property
    def horizon(self) -> int:
        """Actions per chunk."""
        ...

    @property
    def lbm_extensions(self) -> Extensions:
        """Relative poses and statistics per step."""
        ...


class ChunkSamples:
    """Random access to training samples; the arrays are views into the dataset."""

    def __init__(self, dataset: Dataset, config: ChunkLayout, weights: Array | None = None) -> None:
        """Prepare the samples.

        Args:
            dataset: Where they come from.
            config: Shape of a sample.
            weights: How much each step of the dataset counts in a loss, (N,); all the same when None.
        """
        self.dataset = dataset
        self._weights = weights
        self._config = config
        self._frames = {key: dataset.frames(key) for key in config.image_features}
        self._goal_mean = dataset.stats[ACTION_KEY]["mean"].astype(np.float32)
        self._goal_std = dataset.stats[ACTION_KEY]["std"].astype(np.float32) + 1e-6
        self._observed = np.arange(1 - config.n_obs_steps, 1)
        self._future = np.arange(1 - config.n_obs_steps, 1 - config.n_obs_steps + config.horizon)

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, steps: Array) -> dict[str, Array]:
        """Collect samples.

        Args:
            steps: Which, int64 (B,).

        Returns:
            Physical units: state (B, n_obs, n), cameras uint8 (B, n_obs, H, W, 3), action (B, horizon, n) in
            the policy's action space, padding (B, horizon) true past the episode's end, where the last
            action is repeated, and the index of the instruction (B,). Normalised: the last action of the
            episode (B, n). With weights: each future step's own, (B, horizon).
        """
        observed, _ = self._within_episode(steps, self._observed)
        state = self.dataset.vectors[STATE_KEY][observed]
        action, padding = self.actions(steps)
        images = {key: frames[self.dataset.rows[observed]] for key, frames in self._frames.items()}
        instruction = self.dataset.instruction_index[steps]
        goal = self.dataset.vectors[ACTION_KEY][self.dataset.ends[steps] - 1]
        return {
            **self._chunk_weights(steps),
            STATE_KEY: state,
            GOAL_KEY: (goal - self._goal_mean) / self._goal_std,
            ACTION_KEY: action,
            PADDING_KEY: padding,
            "instruction": instruction,
            **images,
        }

    def actions(self, steps: Array) -> tuple[Array, Array]:
        """Return chunks in the policy's action space, (B, horizon, n), and their padding, (B, horizon)."""
        rows, padding = self._within_episode(steps, self._future)
        action = self.dataset.vectors[ACTION_KEY][rows]
        blocks = self._config.lbm_extensions.relative_poses
        if blocks:
            observed, _ = self._within_episode(steps, self._observed)
            action = to_relative(action, self.dataset.vectors[STATE_KEY][observed], blocks).astype(np.float32)
        return action, padding

    def action_statistics(self) -> dict[str, Array]:
        """Statistics of the chunks: per column, or per future step and column with the extension."""
        action, _ = self.actions(np.arange(len(self)))
        if not self._config.lbm_extensions.per_timestep_action_stats:
            action = action.reshape(-1, action.shape[-1])
        return vector_stats(action)

    def _chunk_weights(self, steps: Array) -> dict[str, Array]:
        if self._weights is None:
            return {}
        starts, ends = self.dataset.starts, self.dataset.ends
        return {WEIGHTS_KEY: chunk_weights(self._weights, steps, starts, ends, self._future)}

    def _within_episode(self, steps: Array, offsets: Array) -> tuple[Array, Array]:
        rows = steps[:, None] + offsets
        first, last = self.dataset.starts[steps][:, None], self.dataset.ends[steps][:, None] - 1
        return np.clip(rows, first, last), rows > last


class BatchStream:
    """An endless stream of batches whose content depends only on seed, step and process, so that a run can
    resume.

    Every epoch visits each step of the dataset once, in a new order. The next batch is collected while one
    is in use.
    """

    def __init__(
        self, samples: ChunkSamples, *, batch_size: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        if len(samples) < batch_size * world:
            raise ValueError(f"the dataset has {len(samples)} steps, a batch needs {batch_size * world}")
        self._samples = samples
        self._batch_size, self._seed, self._rank, self._world = batch_size, seed, rank, world
        self._order: tuple[int, Array] | None = None

    def indices(self, step: int) -> Array:
        """Which samples this process uses at a training step, int64 (batch_size,)."""
        per_epoch = len(self._samples) // (self._batch_size * self._world)
        epoch, position = divmod(step, per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, np.random.default_rng([self._seed, epoch]).permutation(len(self._samples))
        first = (position * self._world + self._rank) * self._batch_size
        return np.sort(self._order[1][first : first + self._batch_size])

    def batches(self, start: int, stop: int) -> Iterator[dict[str, Array]]:
        """Yield the batches of the training steps from start to stop."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self._samples.batch, self.indices(start))
            for step in range(start, stop):
                batch = coming.result()
                if step + 1 < stop:
                    coming = pool.submit(self._samples.batch, self.indices(step + 1))
                yield batch


def to_network(
    batch: dict[str, Array], normalizer: Normalizer, tokens: Tensor, device: torch.device
) -> dict[str, Tensor]:
    """Move a batch to the device and normalise it there; tokens is (instructions, L), int64."""
    result = {}
    for key, value in batch.items():
        tensor = torch.from_numpy(np.ascontiguousarray(value)).to(device, non_blocking=True)
        if key == "instruction":
            result[TOKENS_KEY] = tokens[tensor]
        elif key in (PADDING_KEY, GOAL_KEY, WEIGHTS_KEY):
            result[key] = tensor
        elif tensor.dtype == torch.uint8:
            result[key] = normalizer.normalize(key, tensor.movedim(-1, -3).float() / 255)
        else:
            result[key] = normalizer.normalize(key, tensor)
    return result


def statistics(dataset: Dataset, action: Mapping[str, Array]) -> dict[str, dict[str, Tensor]]:
    """Return the dataset's statistics with those of the action in the policy's own space."""
    every = {**dataset.stats, ACTION_KEY: action}
    return {
        key: {name: torch.as_tensor(value, dtype=torch.float32) for name, value in entry.items()}
        for key, entry in every.items()
    }
