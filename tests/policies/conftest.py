# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the policy tests share: the golden files and a small model that is built in a moment."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from helpers.builders import FRONT, make_images, make_observation
from helpers.places import ASSETS
from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.multitask_dit.checkpoint import Checkpoint, create_checkpoint, load_checkpoint
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.policies.tokenizer_training import train_tokenizer

GOLDEN = ASSETS / "golden" / "dit"
VARIANTS = ("ddpm", "ddim", "flow_euler")
INSTRUCTIONS = ("open the door", "close the window", "push the puck to the goal")
STATE_DIM, ACTION_DIM, SIDE, TOKENS = 4, 3, 24, 16
BATCH_STEPS = 2


@dataclass(frozen=True, eq=False)
class Golden:
    """One golden variant: its loaded checkpoint, reference tensors and instruction."""

    directory: Path
    checkpoint: Checkpoint
    reference: Mapping[str, Tensor]
    instruction: str

    def observations(self) -> list[Observation]:
        """The 20 raw ticks."""
        keys = list(self.checkpoint.config.image_features)
        states = self.reference["raw.observation.state"].numpy()
        return [
            make_observation(
                stamp_ns=i,
                images={key: self.reference[f"raw.{key}"][i].numpy() for key in keys},
                state=state,
                instruction=self.instruction,
            )
            for i, state in enumerate(states)
        ]

    def training_batch(self) -> dict[str, Tensor]:
        """The preprocessed training batch."""
        named = {name: tensor for name, tensor in self.reference.items() if name.startswith("train.")}
        return {name.removeprefix("train."): tensor for name, tensor in named.items()}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small models are fastest, and sums always ordered alike, on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", params=VARIANTS)
def golden(request: pytest.FixtureRequest) -> Golden:
    """Each golden variant in turn."""
    directory = GOLDEN / request.param
    reference = load_file(directory / "ref.safetensors")
    task = json.loads((directory / "ref.json").read_text())["task"]
    return Golden(directory, load_checkpoint(directory), reference, task)


@pytest.fixture
def golden_folder() -> Path:
    """The folder of the golden checkpoints."""
    return GOLDEN


class Small:
    """Builds tiny models and what fits them."""

    @staticmethod
    def config(**changes: Any) -> MultiTaskDiTConfig:
        """A configuration of a tiny model; one camera, no crop."""
        base = MultiTaskDiTConfig(
            input_features={
                "observation.state": Feature("STATE", (STATE_DIM,)),
                "observation.images.front": Feature("VISUAL", (3, SIDE, SIDE)),
            },
            output_features={"action": Feature("ACTION", (ACTION_DIM,))},
            n_obs_steps=BATCH_STEPS,
            horizon=8,
            n_action_steps=4,
            objective="flow_matching",
            num_integration_steps=5,
            num_train_timesteps=20,
            hidden_dim=32,
            num_layers=2,
            num_heads=4,
            timestep_embed_dim=16,
            vision_encoder_name="clip",
            text_encoder_name="clip",
            image_crop_shape=None,
            tokenizer_max_length=TOKENS,
            drop_n_last_frames=0,
        )
        return replace(base, **changes)

    @staticmethod
    def model(
        config: MultiTaskDiTConfig | None = None, *, shake: bool = True, **options: Any
    ) -> MultiTaskDiT:
        """A tiny model; shaken weights, because a fresh model's blocks are identities."""
        torch.manual_seed(0)
        vision = ClipVisionConfig(32, 64, 2, 2, image_size=SIDE, patch_size=8)
        text = ClipTextConfig(32, 64, 2, 2, vocab_size=530, max_position_embeddings=TOKENS, eos_token_id=529)
        model = MultiTaskDiT(config or Small.config(), vision, text, **options)
        if shake:
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(torch.randn_like(parameter) * 0.08)
        return model.eval()

    @staticmethod
    def batch(config: MultiTaskDiTConfig, count: int = 2) -> dict[str, Tensor]:
        """A random preprocessed batch for a model of `model`."""
        generator = torch.Generator().manual_seed(1)

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator)

        tokens = torch.randint(0, 520, (count, TOKENS), generator=generator)
        tokens[:, 5:] = 529
        batch = {
            "observation.state": normal(count, config.n_obs_steps, config.state_dim),
            "observation.language.tokens": tokens,
            "action": normal(count, config.horizon, config.action_dim),
            "action_is_pad": torch.zeros(count, config.horizon, dtype=torch.bool),
        }
        for key, feature in config.image_features.items():
            batch[key] = normal(count, config.n_obs_steps, *feature.shape)
        return batch

    @staticmethod
    def stats(config: MultiTaskDiTConfig) -> dict[str, dict[str, Any]]:
        """Statistics for every feature of a configuration."""
        stats: dict[str, dict[str, Any]] = {
            "observation.state": {"min": -np.ones(config.state_dim), "max": np.full(config.state_dim, 3.0)},
            "action": {"min": -np.ones(config.action_dim), "max": np.full(config.action_dim, 2.0)},
        }
        for key in config.image_features:
            stats[key] = {"mean": np.full(3, 0.5), "std": np.full(3, 0.25)}
        return stats

    @staticmethod
    def tokenizer() -> Any:
        """A tokenizer that fits `model`."""
        return train_tokenizer(INSTRUCTIONS, 530)

    @staticmethod
    def observation(**changes: Any) -> Observation:
        """An observation that fits `config`."""
        state = np.linspace(0.0, 1.0, STATE_DIM)
        return make_observation(**{"images": make_images([FRONT], SIDE, SIDE), "state": state, **changes})


@pytest.fixture
def small() -> type[Small]:
    """Builds tiny models and what fits them."""
    return Small


@pytest.fixture
def small_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint of a small model; keyword arguments change its configuration."""

    def write(name: str = "checkpoint", *, dtype: torch.dtype = torch.float32, **changes: Any) -> Path:
        config = Small.config(**changes)
        return create_checkpoint(
            tmp_path / name,
            Small.model(config),
            stats=Small.stats(config),
            tokenizer=Small.tokenizer(),
            sidecar=Sidecar(step_s=0.05, action_names=("x", "y", "z")),
            dtype=dtype,
        )

    return write
