# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Tiny pi0 and pi0.5 models, their checkpoints, and what fits them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from helpers.builders import FRONT, WRIST, make_images, make_observation
from helpers.places import ASSETS
from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.features import MASK_KEY, STATE_KEY, TOKENS_KEY, Feature
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.pi0.checkpoint import create_checkpoint
from lbm_policy_node.policies.pi0.config import PI05_DEFAULTS, Pi0Config
from lbm_policy_node.policies.pi0.initialization import create_model
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.sizes import GemmaSize, Pi0Sizes, SiglipSize
from lbm_policy_node.policies.pi0.vocabulary import train_prompt_tokenizer

GOLDEN = ASSETS / "golden" / "pi0"
STATE_DIM, ACTION_DIM, CHUNK, HEIGHT, WIDTH = 5, 4, 6, 20, 32
INSTRUCTIONS = ("open the door", "close the window")
SIZES = Pi0Sizes(
    vision=SiglipSize(hidden=48, layers=2, heads=4, mlp=96, patch=14, positions=4),
    language=GemmaSize(width=64, layers=3, mlp=96, heads=4, head_dim=16),
    expert=GemmaSize(width=32, layers=3, mlp=64, heads=4, head_dim=16),
    vocabulary=300,
)


class Small:
    """Builds tiny models and what fits them."""

    front, wrist, sizes, instructions = FRONT, WRIST, SIZES, INSTRUCTIONS

    @staticmethod
    def config(kind: str = "pi0", **changes: Any) -> Pi0Config:
        """A configuration with two cameras; dtype float32."""
        more: dict[str, Any] = {"tokenizer_max_length": 16}
        if kind == "pi05":
            more = {**PI05_DEFAULTS, "tokenizer_max_length": 80}
        base = Pi0Config(
            kind=kind,
            input_features={
                STATE_KEY: Feature("STATE", (STATE_DIM,)),
                FRONT: Feature("VISUAL", (3, HEIGHT, WIDTH)),
                WRIST: Feature("VISUAL", (3, HEIGHT, WIDTH)),
            },
            output_features={"action": Feature("ACTION", (ACTION_DIM,))},
            chunk_size=CHUNK,
            n_action_steps=3,
            max_state_dim=8,
            max_action_dim=7,
            num_inference_steps=4,
            image_resolution=(28, 28),
            **more,
        )
        return replace(base, **changes)

    @staticmethod
    def model(kind: str = "pi0", **changes: Any) -> Pi0:
        """A tiny model with shaken weights, so that no norm is trivial."""
        torch.manual_seed(0)
        model = create_model(Small.config(kind, **changes), SIZES)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.05)
        return model.eval().requires_grad_(False)

    @staticmethod
    def batch(count: int = 2) -> dict[str, Tensor]:
        """A random preprocessed batch; the instructions have different lengths."""
        generator = torch.Generator().manual_seed(1)
        mask = torch.zeros(count, 10, dtype=torch.bool)
        for row in range(count):
            mask[row, : 4 + 3 * row] = True
        return {
            STATE_KEY: torch.randn((count, STATE_DIM), generator=generator),
            FRONT: torch.rand((count, 3, HEIGHT, WIDTH), generator=generator),
            WRIST: torch.rand((count, 3, HEIGHT, WIDTH), generator=generator),
            TOKENS_KEY: torch.randint(0, 300, (count, 10), generator=generator),
            MASK_KEY: mask,
            "action": torch.randn((count, CHUNK, ACTION_DIM), generator=generator),
        }

    @staticmethod
    def noise(count: int = 2, seed: int = 2) -> Tensor:
        """Initial noise of the padded width."""
        return torch.randn((count, CHUNK, 7), generator=torch.Generator().manual_seed(seed))

    @staticmethod
    def stats() -> dict[str, dict[str, Any]]:
        """Statistics for every mode."""

        def entry(size: int) -> dict[str, Any]:
            ramp = np.arange(size) * 0.1
            return {"mean": ramp, "std": 1 + ramp, "q01": -1 - ramp, "q99": 2 + ramp}

        return {STATE_KEY: entry(STATE_DIM), "action": entry(ACTION_DIM)}

    @staticmethod
    def tokenizer() -> Any:
        """A tokenizer that fits the model."""
        return train_prompt_tokenizer(INSTRUCTIONS, 300)

    @staticmethod
    def observation(**changes: Any) -> Observation:
        """An observation that fits the configuration."""
        images, state = make_images([FRONT, WRIST], HEIGHT, WIDTH), np.linspace(-0.5, 1.0, STATE_DIM)
        return make_observation(**{"images": images, "state": state, **changes})


@pytest.fixture
def small() -> type[Small]:
    """Builds tiny models and what fits them."""
    return Small


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint of a tiny model; keyword arguments change its configuration."""

    def write(
        kind: str = "pi0", name: str = "checkpoint", sidecar: Sidecar | None = None, **changes: Any
    ) -> Path:
        return create_checkpoint(
            tmp_path / name,
            Small.model(kind, **changes),
            stats=Small.stats(),
            tokenizer=Small.tokenizer(),
            sidecar=sidecar or Sidecar(step_s=0.1),
        )

    return write


@pytest.fixture(scope="session")
def golden_pi0() -> Path:
    """The folder of the golden checkpoint."""
    return GOLDEN


@pytest.fixture(scope="session")
def golden_reference() -> Mapping[str, Tensor]:
    """LeRobot's numbers for it."""
    return load_file(GOLDEN / "ref.safetensors")
