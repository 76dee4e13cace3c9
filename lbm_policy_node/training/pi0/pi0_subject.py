# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""pi0 and pi0.5 in training: new small ones, and fine-tuning of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, MASK_KEY, STATE_KEY, TOKENS_KEY, Feature
from lbm_policy_node.policies.checkpoint.files import WEIGHTS_FILE
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, read_sidecar
from lbm_policy_node.policies.pi0.checkpoint import prompts, read_config, write_checkpoint
from lbm_policy_node.policies.pi0.config import PI05_DEFAULTS, Pi0Config
from lbm_policy_node.policies.pi0.initialization import SIZES, create_model
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.processors import make_pi0_processors, read_pi0_processors
from lbm_policy_node.policies.pi0.vocabulary import padding_token, train_prompt_tokenizer
from lbm_policy_node.policies.pi0.weights import load_model
from lbm_policy_node.policies.tokenizer import InstructionTokenizer, find_tokenizer
from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig
from lbm_policy_node.training.pi0.pi0_samples import Pi0Samples
from lbm_policy_node.training.samples import ChunkSamples, statistics, to_network
from lbm_policy_node.training.subject import OptimizerSettings, Trainee


class Pi0Learner(Trainee):
    """The policy behind the loop's interface."""

    policy: Pi0

    def __init__(self, policy: Pi0) -> None:
        super().__init__()
        self.policy = policy
        self.head: nn.Module | None = None

    def forward(self, batch: Mapping[str, Tensor], draws: int) -> tuple[Tensor, Tensor]:
        """Return the loss, twice: there is no auxiliary part."""
        loss = self.policy.loss(batch, draws=draws)
        return loss, loss.detach()


class Pi0Subject:
    """A pi0 or pi0.5 on a dataset, whose features and statistics take the place of the checkpoint's."""

    def __init__(
        self,
        dataset: Dataset,
        config: TrainConfig,
        size: ModelSize,
        choice: PolicyChoice,
        weights: Array | None = None,
    ) -> None:
        """Build or load the model.

        Raises:
            CheckpointError: The checkpoint is no pi0, or cannot take the dataset's features.
        """
        self.model, self._tokenizer = (
            _loaded(dataset, config, choice) if choice.init else _new(dataset, size, choice)
        )
        choose_trainable(self.model, choice.train)
        self.model.gradient_checkpointing = choice.gradient_checkpointing
        self.learner: Trainee = Pi0Learner(self.model)
        self.samples: ChunkSamples = Pi0Samples(dataset, self.model.config, weights)
        stats = statistics(dataset, self.samples.action_statistics())
        self._processors = make_pi0_processors(self.model.config, stats)
        self._words = InstructionTokenizer(
            self._tokenizer, self._processors.tokenizer, padding_token(self._tokenizer)
        )
        self._instructions = dataset.instructions
        self.optimizer = OptimizerSettings(self.model.config.optimizer_betas, {})

    def inputs(self, batch: dict[str, Array], device: torch.device) -> dict[str, Tensor]:
        """Normalised batch with the prompts' tokens; images stay in [0, 1] unless a mode says otherwise."""
        normalizer = self._processors.inputs
        state = normalizer.normalize(STATE_KEY, torch.from_numpy(batch[STATE_KEY][:, -1]))
        texts = [self._instructions[index] for index in batch["instruction"]]
        tokens, mask = self._words(prompts(self.model.config, texts, state.numpy()))
        rest = {key: value for key, value in batch.items() if key not in ("instruction", STATE_KEY)}
        inputs = to_network(rest, normalizer.to(device), tokens, device)
        for key in self.model.config.image_features:
            inputs[key] = inputs[key][:, -1]
        moved = {STATE_KEY: state.to(device), TOKENS_KEY: tokens.to(device), MASK_KEY: mask.to(device)}
        return {**inputs, **moved}

    def write(self, folder: Path, weights: nn.Module, sidecar: Sidecar, storage: str) -> None:
        """Write a LeRobot directory; pi0 is stored in the type that its config.json names."""
        assert isinstance(weights, Pi0)
        write_checkpoint(folder, weights, self._processors, self._tokenizer, sidecar)


def choose_trainable(model: Pi0, part: str) -> None:
    """Decide what learns.

    Args:
        model: Whose parameters are marked.
        part: "expert": the action expert and the projections around it; "all": also vision and language.
    """
    language = model.paligemma_with_expert.paligemma
    model.requires_grad_(True)
    language.requires_grad_(part == "all")
    model.backbone_learns = part == "all"
    # Only the keys and values of the last prefix layer are read: what comes after them gets no gradient, and
    # distributed training refuses parameters that never do.
    body = language.model.language_model
    body.norm.requires_grad_(False)
    last = body.layers[-1]
    for name, parameter in last.named_parameters():
        if not name.startswith(("self_attn.k_proj", "self_attn.v_proj", "input_layernorm")):
            parameter.requires_grad_(False)


def _new(dataset: Dataset, size: ModelSize, choice: PolicyChoice) -> tuple[Pi0, Tokenizer]:
    """A model from scratch in one of our small sizes, with a tokenizer trained on the instructions."""
    sizes = SIZES[choice.pi0_size]
    more = dict(PI05_DEFAULTS) if choice.policy == "pi05" else {}
    config = Pi0Config(
        kind=choice.policy,
        **_features(dataset),
        chunk_size=size.horizon,
        n_action_steps=size.n_action_steps,
        num_inference_steps=size.sampling_steps,
        image_resolution=(sizes.vision.side, sizes.vision.side),
        use_relative_actions=size.action_space == "relative",
        push_to_hub=False,
        **more,
    )
    return create_model(config, sizes), train_prompt_tokenizer(dataset.instructions, sizes.vocabulary)


def _loaded(dataset: Dataset, train: TrainConfig, choice: PolicyChoice) -> tuple[Pi0, Tokenizer]:
    """A checkpoint's model; what is frozen is held in bfloat16 where the run computes in it."""
    directory = Path(choice.init)
    old = read_config(directory)
    processors = read_pi0_processors(directory, old)
    override = Path(choice.tokenizer) if choice.tokenizer else None
    words = find_tokenizer(directory, processors.tokenizer, processors.tokenizer.tokenizer_name, override)
    try:
        config = replace(old, **_features(dataset), empty_cameras=0)
    except CheckpointError as error:
        raise CheckpointError(dataset.root, error.field, error.expectation) from error
    half = choice.train == "expert" and train.precision == "bf16"
    backbone = torch.bfloat16 if half else torch.float32
    model = load_model(directory, config, read_sidecar(directory), backbone, expert=torch.float32)
    if words.vocabulary_size > model.sizes.vocabulary:
        raise CheckpointError(directory / WEIGHTS_FILE, "embed_tokens", "has fewer rows than the tokenizer")
    return model, words.tokenizer


def _features(dataset: Dataset) -> dict:
    """The dataset's cameras, state and action, in the form of config.json."""
    vectors = dataset.features.vectors
    cameras = {key: Feature("VISUAL", (3, *shape)) for key, shape in dataset.features.cameras.items()}
    names = tuple(vectors[ACTION_KEY])
    return {
        "input_features": {STATE_KEY: Feature("STATE", (len(vectors[STATE_KEY]),)), **cameras},
        "output_features": {ACTION_KEY: Feature("ACTION", (len(names),))},
        "action_feature_names": names,
    }
