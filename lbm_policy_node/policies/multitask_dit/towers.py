# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the architecture of a checkpoint's CLIP towers, which LeRobot's format does not hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, WEIGHTS_FILE, read_json
from lbm_policy_node.policies.checkpoint.sidecar import SIDECAR_FILE, Sidecar
from lbm_policy_node.policies.multitask_dit.clip_config import ClipConfig, ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig

HEAD_SIZE = 64
T = TypeVar("T", bound=ClipConfig)


def resolve_towers(
    directory: Path, config: MultiTaskDiTConfig, sidecar: Sidecar, weights: Mapping[str, Tensor]
) -> tuple[ClipVisionConfig, ClipTextConfig]:
    """Architectures of the vision and the text tower.

    Taken from the sidecar's `towers`, else from config.json of the encoder's folder relative to the
    checkpoint, else, for OpenAI's models only, from the shapes of the weights (heads of size 64,
    quick_gelu).

    Raises:
        CheckpointError: Neither says it.
    """
    vision = _described(directory, config.vision_encoder_name, "vision", sidecar, ClipVisionConfig)
    text = _described(directory, config.text_encoder_name, "text", sidecar, ClipTextConfig)
    if vision is None:
        _require_openai(directory, "vision_encoder_name", config.vision_encoder_name)
        vision = ClipVisionConfig.from_dict(_vision_shapes(directory, weights, config))
    if text is None:
        _require_openai(directory, "text_encoder_name", config.text_encoder_name)
        text = ClipTextConfig.from_dict(_text_shapes(directory, weights))
    return vision, text


def _described(directory: Path, name: str, part: str, sidecar: Sidecar, kind: type[T]) -> T | None:
    """The tower as the sidecar or the encoder's folder describes it."""
    file = directory / SIDECAR_FILE
    entry: Mapping[str, Any] | None = (sidecar.towers or {}).get(part)
    if entry is None and (directory / name / CONFIG_FILE).is_file():
        file = directory / name / CONFIG_FILE
        entry = read_json(file).get(f"{part}_config")
    if entry is None:
        return None
    if not isinstance(entry, Mapping):
        raise CheckpointError(file, part, f"is {entry!r}, expected a mapping")
    try:
        return kind.from_dict(entry)
    except (CheckpointError, TypeError) as error:
        raise CheckpointError(file, part, str(error)) from error


def _require_openai(directory: Path, field: str, name: str) -> None:
    """The shapes describe only OpenAI's models completely; others differ in heads or activation."""
    if not PurePosixPath(name).name.startswith("clip-vit-") or "laion" in name.lower():
        raise CheckpointError(
            directory / CONFIG_FILE,
            field,
            f"is {name!r}, whose heads and activation the weights do not show; describe it under 'towers' in "
            f"{SIDECAR_FILE}",
        )


def _vision_shapes(
    directory: Path, weights: Mapping[str, Tensor], config: MultiTaskDiTConfig
) -> dict[str, Any]:
    encoder = "vision_encoders.0" if config.use_separate_rgb_encoder_per_camera else "vision_encoder"
    prefix = f"observation_encoder.{encoder}.model.vision_model"
    patch = _shape(directory, weights, f"{prefix}.embeddings.patch_embedding.weight")[-1]
    positions = _shape(directory, weights, f"{prefix}.embeddings.position_embedding.weight")[0]
    side = round((positions - 1) ** 0.5)
    return {**_common(directory, weights, prefix), "patch_size": patch, "image_size": side * patch}


def _text_shapes(directory: Path, weights: Mapping[str, Tensor]) -> dict[str, Any]:
    prefix = "observation_encoder.text_encoder.text_encoder.text_model"
    vocabulary = _shape(directory, weights, f"{prefix}.embeddings.token_embedding.weight")[0]
    positions = _shape(directory, weights, f"{prefix}.embeddings.position_embedding.weight")[0]
    return {
        **_common(directory, weights, prefix),
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
    }


def _common(directory: Path, weights: Mapping[str, Tensor], prefix: str) -> dict[str, Any]:
    pattern = re.compile(re.escape(prefix) + r"\.encoder\.layers\.(\d+)\.")
    layers = {int(match[1]) for match in map(pattern.match, weights) if match}
    mlp, hidden = _shape(directory, weights, f"{prefix}.encoder.layers.0.mlp.fc1.weight")
    return {
        "hidden_size": hidden,
        "intermediate_size": mlp,
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(1, hidden // HEAD_SIZE),
    }


def _shape(directory: Path, weights: Mapping[str, Tensor], name: str) -> tuple[int, ...]:
    if name not in weights:
        raise CheckpointError(directory / WEIGHTS_FILE, name, "tensor is missing")
    return tuple(weights[name].shape)
