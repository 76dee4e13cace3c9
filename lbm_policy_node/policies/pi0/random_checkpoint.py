# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of random numbers in any size, written tensor by tensor: to measure memory and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, write_json
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, write_sidecar
from lbm_policy_node.policies.pi0.config import PI05_DEFAULTS, Pi0Config
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.processors import make_pi0_processors, write_pi0_processors
from lbm_policy_node.policies.pi0.sizes import Pi0Sizes
from lbm_policy_node.policies.pi0.vocabulary import save_tokenizer, train_prompt_tokenizer
from lbm_policy_node.policies.pi0.weights import meta_model, stored_type, write_model
from lbm_policy_node.policies.tokenizer import TOKENIZER_FOLDER

WIDTH = 7


class RandomWeights(Mapping[str, Tensor]):
    """Weights that are made when they are asked for, and not kept."""

    def __init__(self, model: Pi0, dtype: torch.dtype) -> None:
        self._shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        self._dtype = dtype

    def __getitem__(self, name: str) -> Tensor:
        shape = self._shapes[name]
        scale = torch.Size(shape[1:]).numel() ** -0.5 if len(shape) > 1 else 0.02
        generator = torch.Generator().manual_seed(list(self._shapes).index(name))
        return torch.randn(shape, generator=generator, dtype=stored_type(name, self._dtype)) * scale

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


def write_random_checkpoint(
    directory: Path,
    sizes: Pi0Sizes,
    *,
    kind: str = "pi0",
    dtype: str = "bfloat16",
    cameras: int = 3,
    image: tuple[int, int] = (240, 320),
) -> Path:
    """Write a complete checkpoint directory with LeRobot's default settings for 7 joints.

    Args:
        directory: Where; made if needed.
        sizes: Of the networks.
        kind: pi0 or pi05.
        dtype: Type of the weights.
        cameras: How many.
        image: Their height and width.
    """
    features = {f"observation.images.camera_{i}": Feature("VISUAL", (3, *image)) for i in range(cameras)}
    config = Pi0Config(
        kind=kind,
        input_features={STATE_KEY: Feature("STATE", (WIDTH,)), **features},
        output_features={ACTION_KEY: Feature("ACTION", (WIDTH,))},
        dtype=dtype,
        image_resolution=(sizes.vision.side, sizes.vision.side),
        push_to_hub=False,
        **(PI05_DEFAULTS if kind == "pi05" else {}),
    )
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / CONFIG_FILE, config.to_dict())
    ones = {
        "mean": torch.zeros(WIDTH),
        "std": torch.ones(WIDTH),
        "q01": -torch.ones(WIDTH),
        "q99": torch.ones(WIDTH),
    }
    stats = {STATE_KEY: ones, ACTION_KEY: {name: value.clone() for name, value in ones.items()}}
    write_pi0_processors(directory, config, make_pi0_processors(config, stats))
    save_tokenizer(train_prompt_tokenizer(["pick up the cup"], 300), directory / TOKENIZER_FOLDER)
    write_sidecar(
        directory, Sidecar(step_s=0.02, towers={"vision": {"num_attention_heads": sizes.vision.heads}})
    )
    model = meta_model(config, sizes)
    weights = RandomWeights(model, torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    write_model(directory, model, weights, torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    return directory
