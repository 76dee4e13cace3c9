# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The multitask DiT in training."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.multitask_dit.checkpoint import create_checkpoint, make_processors
from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.policies.normalization import Normalizer
from lbm_policy_node.policies.tokenizer import InstructionTokenizer
from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig
from lbm_policy_node.training.multitask_dit.blueprint import from_scratch
from lbm_policy_node.training.multitask_dit.goal_head import Learner
from lbm_policy_node.training.samples import ChunkSamples, statistics, to_network
from lbm_policy_node.training.subject import OptimizerSettings, Trainee


class DiTSubject:
    """A new multitask DiT on a dataset."""

    def __init__(
        self,
        dataset: Dataset,
        config: TrainConfig,
        size: ModelSize,
        choice: PolicyChoice,
        weights: Array | None = None,
    ) -> None:
        """Build the model; weights say how much each step of the dataset counts."""
        self.blueprint = from_scratch(dataset, size, config)
        self.learner: Trainee = Learner(self.blueprint.model, config.goal_weight)
        self.samples = ChunkSamples(dataset, self.blueprint.config, weights)
        self.stats = statistics(dataset, self.samples.action_statistics())
        processors = make_processors(self.blueprint.config, self.stats)
        tokenizer = InstructionTokenizer(self.blueprint.tokenizer, processors.tokenizer)
        self._normalizer, self._tokens = processors.inputs, tokenizer(dataset.instructions)[0]
        scale = self.blueprint.config.vision_encoder_lr_multiplier
        self.optimizer = OptimizerSettings((0.95, 0.999), {"observation_encoder.vision_encoder": scale})
        self._on: tuple[torch.device, Normalizer, Tensor] | None = None

    def inputs(self, batch: dict[str, Array], device: torch.device) -> dict[str, Tensor]:
        """Normalised batch with tokens."""
        if self._on is None or self._on[0] != device:
            self._on = device, self._normalizer.to(device), self._tokens.to(device)
        _, normalizer, tokens = self._on
        return to_network(batch, normalizer, tokens, device)

    def write(self, folder: Path, weights: nn.Module, sidecar: Sidecar, storage: str) -> None:
        """Write a LeRobot directory."""
        assert isinstance(weights, MultiTaskDiT)
        create_checkpoint(
            folder,
            weights,
            stats=self.stats,
            tokenizer=self.blueprint.tokenizer,
            sidecar=sidecar,
            dtype=getattr(torch, storage),
        )
