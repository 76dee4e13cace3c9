# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""model.safetensors of the multitask DiT: strict loading, both spellings of the CLIP towers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import WEIGHTS_FILE
from lbm_policy_node.policies.checkpoint.tensor_files import read_tensors

TOWERS = (
    (
        re.compile(r"^(observation_encoder\.vision_encoders?(?:\.\d+)?\.model\.)(?!vision_model\.)"),
        "vision_model.",
    ),
    (re.compile(r"^(observation_encoder\.text_encoder\.text_encoder\.)(?!text_model\.)"), "text_model."),
)
SHOWN = 6


def read_weights(directory: Path) -> dict[str, Tensor]:
    """The tensors under LeRobot's names, float32.

    transformers from 5.6 on leaves `vision_model.` and `text_model.` out of the towers' names; they are put
    back.

    Raises:
        CheckpointError: The file is missing or truncated, or holds something but finite floating-point
            numbers.
    """
    return {_canonical(name): tensor for name, tensor in read_tensors(directory / WEIGHTS_FILE).items()}


def _canonical(name: str) -> str:
    for pattern, tower in TOWERS:
        name = pattern.sub(lambda match, tower=tower: match[1] + tower, name)
    return name


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], directory: Path) -> None:
    """Put the weights into a model that may have been built on torch's meta device.

    Raises:
        CheckpointError: Missing, extra or misshapen tensors, by name.
    """
    file = directory / WEIGHTS_FILE
    expected = model.state_dict()
    _refuse(file, "missing", sorted(set(expected) - set(weights)))
    _refuse(file, "unexpected", sorted(set(weights) - set(expected)))
    shapes = [
        f"{name} {tuple(weights[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if weights[name].shape != tensor.shape
    ]
    _refuse(file, "wrongly shaped", shapes)
    model.load_state_dict(dict(weights), strict=True, assign=True)


def _refuse(file: Path, what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise CheckpointError(file, "; ".join(names[:SHOWN]) + more, f"{len(names)} {what} tensors")
