# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A multitask DiT on disk: LeRobot's directory, read strictly and written so that LeRobot can read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import STATE_KEY
from lbm_policy_node.policies.checkpoint.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    file_id,
    read_json,
    write_json,
)
from lbm_policy_node.policies.checkpoint.processor_files import (
    Processors,
    TokenizerStep,
    read_processors,
    write_processors,
)
from lbm_policy_node.policies.checkpoint.sidecar import SIDECAR_FILE, Sidecar, read_sidecar, write_sidecar
from lbm_policy_node.policies.checkpoint.tensor_files import write_tensors
from lbm_policy_node.policies.empty_model import empty_model
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.encoder_folder import is_local_encoder, write_encoder_folder
from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.policies.multitask_dit.towers import resolve_towers
from lbm_policy_node.policies.multitask_dit.weights import load_weights, read_weights
from lbm_policy_node.policies.normalization import Normalizer, Stats
from lbm_policy_node.policies.tokenizer import TOKENIZER_FOLDER, InstructionTokenizer, find_tokenizer
from lbm_policy_node.policies.tokenizer_training import save_tokenizer


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that a checkpoint directory holds; the model is in eval mode, float32, on the CPU."""

    directory: Path
    model: MultiTaskDiT
    processors: Processors
    tokenizer: InstructionTokenizer
    sidecar: Sidecar
    checkpoint_id: str

    @property
    def config(self) -> MultiTaskDiTConfig:
        """All settings."""
        return self.model.config


def load_checkpoint(
    path: str | Path, tokenizer: str | Path | None = None, *, train_text_tower: bool = False
) -> Checkpoint:
    """Read a checkpoint directory.

    Args:
        path: The directory.
        tokenizer: A tokenizer folder or file to use instead of the checkpoint's own.
        train_text_tower: For fine-tuning: let the text tower learn too, which LeRobot freezes.

    Raises:
        CheckpointError: Anything missing, unknown, damaged or contradictory, by file and name.
    """
    directory = Path(path)
    config = MultiTaskDiTConfig.from_dict(read_json(directory / CONFIG_FILE), str(directory / CONFIG_FILE))
    sidecar = read_sidecar(directory)
    sidecar.check_widths(directory, config.state_dim, config.action_dim)
    if sidecar.absent_cameras:
        found = f"is {list(sidecar.absent_cameras)}, but a multitask DiT cannot do without a camera"
        raise CheckpointError(directory / SIDECAR_FILE, "absent_cameras", found)
    processors = read_processors(directory, _action_steps(config))
    _check_features(directory, config, processors)
    weights = read_weights(directory)
    vision, text = resolve_towers(directory, config, sidecar, weights)
    model = _build(
        directory, lambda: MultiTaskDiT(config, vision, text, train_text_tower=train_text_tower), weights
    )
    override = None if tokenizer is None else Path(tokenizer)
    words = find_tokenizer(directory, processors.tokenizer, config.text_encoder_name, override)
    _check_tokenizer(directory, model, words)
    return Checkpoint(directory, model, processors, words, sidecar, file_id(directory / WEIGHTS_FILE))


def create_checkpoint(
    path: str | Path,
    model: MultiTaskDiT,
    *,
    stats: Mapping[str, Mapping[str, Any]],
    tokenizer: Tokenizer,
    sidecar: Sidecar | None = None,
    weights: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write a complete checkpoint directory.

    Args:
        path: The directory, made if needed; files of the same names are replaced.
        model: The model; its configuration and tower architectures are written too.
        stats: Statistics per feature, as the normalisation modes need them; array-likes are accepted.
        tokenizer: As `train_tokenizer` gives it, or an existing one.
        sidecar: What we know beyond LeRobot's format.
        weights: Replaces the model's own weights (an exponential average); same names.
        dtype: Storage type of the weights; float16 and bfloat16 halve the file and are loaded as float32.

    Returns:
        The directory.

    Raises:
        CheckpointError: Statistics that a normalisation mode needs are missing or have another shape.
    """
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    config = model.config
    write_json(directory / CONFIG_FILE, config.to_dict())
    write_processors(directory, make_processors(config, stats))
    save_tokenizer(tokenizer, directory / TOKENIZER_FOLDER)
    sidecar = sidecar or Sidecar()
    if (
        is_local_encoder(config.vision_encoder_name)
        and config.text_encoder_name == config.vision_encoder_name
    ):
        write_encoder_folder(directory / config.vision_encoder_name, model.vision_config, model.text_config)
    else:
        towers = {"vision": vars(model.vision_config), "text": vars(model.text_config)}
        sidecar = replace(sidecar, towers=towers)
    write_sidecar(directory, sidecar)
    write_tensors(directory / WEIGHTS_FILE, model.state_dict() if weights is None else weights, dtype)
    return directory


def save_checkpoint(path: str | Path, checkpoint: Checkpoint, dtype: torch.dtype = torch.float32) -> Path:
    """Write a loaded checkpoint again; in float32 its tensors stay equal to the bit."""
    inputs = checkpoint.processors.inputs
    directory = create_checkpoint(
        path,
        checkpoint.model,
        stats=inputs.stats,
        tokenizer=checkpoint.tokenizer.tokenizer,
        sidecar=checkpoint.sidecar,
        dtype=dtype,
    )
    step = replace(checkpoint.processors.tokenizer, tokenizer_name=TOKENIZER_FOLDER)
    write_processors(directory, replace(checkpoint.processors, tokenizer=step))
    return directory


def make_processors(config: MultiTaskDiTConfig, stats: Mapping[str, Mapping[str, Any]]) -> Processors:
    """The processors of a new model: for training, and what `create_checkpoint` writes.

    Raises:
        CheckpointError: Missing or misshapen statistics.
    """
    ready: Stats = {
        key: {name: torch.as_tensor(value, dtype=torch.float32) for name, value in entry.items()}
        for key, entry in stats.items()
    }
    every = {**config.input_features, **config.output_features}
    steps = _action_steps(config)
    tokenizer = TokenizerStep(
        max_length=config.tokenizer_max_length,
        padding_side=config.tokenizer_padding_side,
        padding=config.tokenizer_padding,
        truncation=config.tokenizer_truncation,
    )
    mapping = config.normalization_mapping
    return Processors(
        tokenizer=tokenizer,
        inputs=Normalizer(every, mapping, ready, action_steps=steps),
        outputs=Normalizer(config.output_features, mapping, ready, action_steps=steps),
    )


def _action_steps(config: MultiTaskDiTConfig) -> int | None:
    return config.horizon if config.lbm_extensions.per_timestep_action_stats else None


def _build(directory: Path, make: Callable[[], MultiTaskDiT], weights: Mapping[str, Tensor]) -> MultiTaskDiT:
    """The model with these weights; built without memory first, so that nothing is initialised twice."""
    try:
        with empty_model():
            model = make()
    except CheckpointError as error:
        raise CheckpointError(directory / CONFIG_FILE, error.field, error.expectation) from error
    load_weights(model, weights, directory)
    return model.eval()


def _check_features(directory: Path, config: MultiTaskDiTConfig, processors: Processors) -> None:
    """The processors must know the features of config.json with the same type and shape."""
    pairs = ((processors.inputs, config.input_features), (processors.outputs, config.output_features))
    for normalizer, features in pairs:
        for key, feature in features.items():
            if normalizer.features.get(key) != feature:
                found = normalizer.features.get(key)
                raise CheckpointError(directory, key, f"is {found} in the processors, expected {feature}")
    targets = set(processors.rename_map.values()) - {STATE_KEY} - set(config.image_features)
    if targets:
        raise CheckpointError(directory, "rename_map", f"renames to unknown features {sorted(targets)}")


def _check_tokenizer(directory: Path, model: MultiTaskDiT, tokenizer: InstructionTokenizer) -> None:
    """Token ids and positions must exist in the text tower."""
    text = model.text_config
    if tokenizer.vocabulary_size > text.vocab_size:
        found = f"has {tokenizer.vocabulary_size} tokens, the text tower knows {text.vocab_size}"
        raise CheckpointError(directory, "tokenizer", found)
    if tokenizer.step.max_length > text.max_position_embeddings:
        found = f"is {tokenizer.step.max_length}, the text tower has {text.max_position_embeddings} positions"
        raise CheckpointError(directory, "tokenizer_processor.max_length", found)
