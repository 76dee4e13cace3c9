# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A pi0 or pi0.5 on disk: LeRobot's directory, read strictly and written so that LeRobot can read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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
from lbm_policy_node.policies.checkpoint.sidecar import SIDECAR_FILE, Sidecar, read_sidecar, write_sidecar
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.processors import (
    Pi0Processors,
    make_pi0_processors,
    read_pi0_processors,
    write_pi0_processors,
)
from lbm_policy_node.policies.pi0.prompt import pi0_prompt, pi05_prompt
from lbm_policy_node.policies.pi0.vocabulary import START, save_tokenizer
from lbm_policy_node.policies.pi0.weights import load_model, write_model
from lbm_policy_node.policies.tokenizer import TOKENIZER_FOLDER, InstructionTokenizer, find_tokenizer

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that a checkpoint directory holds; the model is in eval mode and its weights are frozen."""

    directory: Path
    model: Pi0
    processors: Pi0Processors
    tokenizer: InstructionTokenizer
    sidecar: Sidecar
    checkpoint_id: str

    @property
    def config(self) -> Pi0Config:
        """All settings."""
        return self.model.config


def prompts(config: Pi0Config, instructions: Sequence[str], states: NDArray[np.floating]) -> list[str]:
    """What the language model reads, for normalised states (B, state_dim)."""
    if not config.adaptive:
        return [pi0_prompt(text) for text in instructions]
    return [pi05_prompt(text, state) for text, state in zip(instructions, states, strict=True)]


def read_config(directory: Path) -> Pi0Config:
    """Read config.json.

    Raises:
        CheckpointError: Another policy, an unknown field, or an impossible value, by name.
    """
    return Pi0Config.from_dict(read_json(directory / CONFIG_FILE), str(directory / CONFIG_FILE))


def load_checkpoint(
    path: str | Path,
    tokenizer: str | Path | None = None,
    device: str = "cpu",
    half: bool | None = None,
) -> Checkpoint:
    """Read a checkpoint directory; the weights go straight to the device and are held once.

    Args:
        path: The directory.
        tokenizer: A tokenizer folder or file to use instead of the checkpoint's own.
        device: torch device of the model.
        half: Compute in bfloat16, or in float32; None: as config.json's `dtype` says.

    Raises:
        CheckpointError: Anything missing, unknown, damaged or contradictory, by file and name.
    """
    directory = Path(path)
    config = read_config(directory)
    sidecar = read_sidecar(directory)
    sidecar.check_widths(directory, config.state_dim, config.action_dim)
    _check_cameras(directory, config, sidecar)
    processors = read_pi0_processors(directory, config)
    _check_features(directory, config, processors)
    override = None if tokenizer is None else Path(tokenizer)
    step = processors.tokenizer
    words = find_tokenizer(directory, step, step.tokenizer_name, override)
    dtype = TYPES[config.dtype] if half is None else (torch.bfloat16 if half else torch.float32)
    model = load_model(directory, config, sidecar, dtype, device)
    _check_tokenizer(directory, model, words)
    return Checkpoint(directory, model, processors, words, sidecar, file_id(directory / WEIGHTS_FILE))


def create_checkpoint(
    path: str | Path,
    model: Pi0,
    *,
    stats: Mapping[str, Mapping[str, Any]],
    tokenizer: Tokenizer,
    sidecar: Sidecar | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write a complete checkpoint directory, its weights in the type that its configuration names.

    Args:
        path: The directory, made if needed; files of the same names are replaced.
        model: The model; its configuration is written too.
        stats: Statistics per feature, as the normalisation modes need them; array-likes are accepted.
        tokenizer: The tokenizer of the prompt.
        sidecar: What we know beyond LeRobot's format.
        weights: Replaces the model's own weights (an exponential average); same names.

    Returns:
        The directory.

    Raises:
        CheckpointError: Statistics that a normalisation mode needs are missing or have another shape.
    """
    processors = make_pi0_processors(model.config, stats)
    return write_checkpoint(path, model, processors, tokenizer, sidecar or Sidecar(), weights)


def write_checkpoint(
    path: str | Path,
    model: Pi0,
    processors: Pi0Processors,
    tokenizer: Tokenizer,
    sidecar: Sidecar,
    weights: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write a directory with processors that exist already; the tokenizer goes into it."""
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / CONFIG_FILE, model.config.to_dict())
    step = replace(processors.tokenizer, tokenizer_name=TOKENIZER_FOLDER)
    write_pi0_processors(directory, model.config, replace(processors, tokenizer=step))
    save_tokenizer(tokenizer, directory / TOKENIZER_FOLDER)
    towers = {**(sidecar.towers or {}), "vision": {"num_attention_heads": model.sizes.vision.heads}}
    write_sidecar(directory, replace(sidecar, towers=towers))
    write_model(directory, model, weights, TYPES[model.config.dtype])
    return directory


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> Path:
    """Write a loaded checkpoint again; in the type it was loaded in, its tensors stay equal to the bit."""
    return write_checkpoint(
        path, checkpoint.model, checkpoint.processors, checkpoint.tokenizer.tokenizer, checkpoint.sidecar
    )


def _check_cameras(directory: Path, config: Pi0Config, sidecar: Sidecar) -> None:
    """A camera may only be absent if it was there, and one must be left."""
    unknown = sorted(set(sidecar.absent_cameras) - set(config.real_cameras))
    if unknown or not set(config.real_cameras) - set(sidecar.absent_cameras):
        raise CheckpointError(
            directory / SIDECAR_FILE,
            "absent_cameras",
            f"is {list(sidecar.absent_cameras)}, expected some but not all of {list(config.real_cameras)}",
        )


def _check_features(directory: Path, config: Pi0Config, processors: Pi0Processors) -> None:
    """The processors must know the features of config.json with the same type and shape."""
    expected = {STATE_KEY: config.input_features[STATE_KEY], **config.real_cameras}
    for normalizer, features in ((processors.inputs, expected), (processors.outputs, config.output_features)):
        for key, feature in features.items():
            found = normalizer.features.get(key)
            if found != feature:
                raise CheckpointError(directory, key, f"is {found} in the processors, expected {feature}")
    targets = set(processors.rename_map.values()) - {STATE_KEY} - set(config.image_features)
    if targets:
        raise CheckpointError(directory, "rename_map", f"renames to unknown features {sorted(targets)}")


def _check_tokenizer(directory: Path, model: Pi0, words: InstructionTokenizer) -> None:
    """Token ids must have embeddings, and a Gemma tokenizer must put its start token first."""
    if words.vocabulary_size > model.sizes.vocabulary:
        found = f"has {words.vocabulary_size} tokens, the language model knows {model.sizes.vocabulary}"
        raise CheckpointError(directory, "tokenizer", found)
    start = words.tokenizer.token_to_id(START)
    if start is not None and words.tokenizer.encode("a").ids[:1] != [start]:
        raise CheckpointError(
            directory, "tokenizer", f"does not put {START} before the text, as PaliGemma's does"
        )
