# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the training loop trains: one policy with its samples, its inputs and its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lbm_policy_node.core.types import Array
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.training.samples import ChunkSamples


class Trainee(nn.Module):
    """A module that returns (loss, shown part) for (inputs, draws) and holds the policy that is saved."""

    policy: nn.Module
    """What is averaged and saved."""
    head: nn.Module | None
    """What is needed in training only."""


@dataclass(frozen=True)
class OptimizerSettings:
    """What a policy asks of Adam beside the run's settings."""

    betas: tuple[float, float]
    scales: Mapping[str, float]
    """Learning rate relative to the run's, for parameters whose name contains a key."""


class Subject(Protocol):
    """A policy in training."""

    learner: Trainee
    samples: ChunkSamples
    optimizer: OptimizerSettings

    def inputs(self, batch: dict[str, Array], device: torch.device) -> dict[str, Tensor]:
        """A batch of samples as the network takes it, on the device."""
        ...

    def write(self, folder: Path, weights: nn.Module, sidecar: Sidecar, storage: str) -> Any:
        """Write a checkpoint with the weights of `weights`, a module like the policy."""
        ...
