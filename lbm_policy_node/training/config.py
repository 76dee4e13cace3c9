# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lbm_policy_node.policies.kind import PolicyKind
from lbm_policy_node.policies.registry import kinds_with

_RULES = ("lfi", "mfi", "oldest", "newest", "uniform")


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the weights are found; each field is a flag of `lbm train`."""

    steps: int = _option(20_000, "Optimiser steps in all.")
    batch_size: int = _option(64, "Observations per step and process.")
    draws: int = _option(4, "Noise draws per observation; they share its encoding.")
    goal_weight: float = _option(0.0, "Weight of predicting where the episode ends, an auxiliary target.")
    weights: str = _option(
        "none", "Weight of each step by who drove: none, sirius or iwr; these need the column control_mode."
    )
    memory: str = _option(
        "all", "Episodes to learn from: all, or which rule rejects what is beyond --cap: " + ", ".join(_RULES)
    )
    cap: int = _option(0, "Most episodes to learn from, with --memory.")
    optimizer: str = _option("adamw", "adamw or adam (the reference uses adam).")
    learning_rate: float = _option(3e-4, "Largest learning rate.")
    weight_decay: float = _option(1e-4, "Weight decay (AdamW).")
    warmup_steps: int = _option(300, "Steps of linear warm-up; a cosine to zero follows.")
    clip_norm: float = _option(10.0, "Largest norm of the gradient.")
    ema_decay: float = _option(0.999, "Decay of the average of the weights, which is what is saved; 0: none.")
    precision: str = _option("auto", "fp32, bf16 or auto (bf16 on CUDA).")
    seed: int = _option(0, "Decides initial weights, order and noise.")
    storage: str = _option(
        "float32", "Type of the weights in checkpoints: float32 or float16 (half the size)."
    )
    checkpoint_every: int = _option(2_000, "Steps between checkpoints.")
    log_every: int = _option(20, "Steps between log lines.")

    def __post_init__(self) -> None:
        if self.optimizer not in ("adamw", "adam"):
            raise ValueError(f"optimizer must be adamw or adam, is '{self.optimizer}'")
        if self.weights not in ("none", "sirius", "iwr"):
            raise ValueError(f"weights must be none, sirius or iwr, is '{self.weights}'")
        if self.memory not in ("all", *_RULES):
            raise ValueError(f"memory must be all, {', '.join(_RULES)}, is '{self.memory}'")
        if (self.memory == "all") != (self.cap == 0) or self.cap < 0:
            raise ValueError(
                f"memory '{self.memory}' with cap {self.cap}: a rule needs a cap of at least 1, a cap a rule"
            )
        if self.precision not in ("auto", "fp32", "bf16"):
            raise ValueError(f"precision must be auto, fp32 or bf16, is '{self.precision}'")
        if self.storage not in ("float32", "float16"):
            raise ValueError(f"storage must be float32 or float16, is '{self.storage}'")
        for name in ("steps", "batch_size", "draws", "checkpoint_every", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, is {getattr(self, name)}")


def trained_kinds() -> dict[str, PolicyKind]:
    """Return the kinds of policy that can be trained, by what `--policy` calls them.

    Raises:
        PluginError: Two packages offer the same name.
    """
    found = kinds_with(lambda kind: kind.trainer)
    return {kind.trained_as or name: kind for name, kind in found.items()}


@dataclass(frozen=True, kw_only=True)
class PolicyChoice:
    """Which policy is trained, and from what; each field is a flag of `lbm train`."""

    policy: str = _option("dit", "A new policy: dit (multitask DiT), pi0, pi05, or another package's.")
    init: str = _option("", "Checkpoint folder to fine-tune (pi0, pi05, or another package's).")
    train: str = _option("all", "What learns: all, or expert (pi0: vision and language stay as they are).")
    pi0_size: str = _option("tiny", "Shape of a new pi0: tiny, small or full.")
    tokenizer: str = _option("", "Tokenizer folder or file for --init, if the checkpoint has none.")
    gradient_checkpointing: bool = _option(False, "pi0: less memory for more computing.")

    def __post_init__(self) -> None:
        kinds = trained_kinds()
        for name, known in (
            ("policy", tuple(kinds)),
            ("train", tuple(dict.fromkeys(part for kind in kinds.values() for part in kind.trainable_parts))),
            ("pi0_size", ("tiny", "small", "full")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {known}, is '{getattr(self, name)}'")
        parts = kinds[self.policy].trainable_parts
        if not self.init and self.train not in parts:
            text = f"train must be {' or '.join(parts)} for a new {self.policy}, is '{self.train}'"
            raise ValueError(text)


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """Shape of a policy that is trained from scratch; each field is a flag of `lbm train`.

    A new pi0 takes horizon, n_action_steps, sampling_steps and action_space from here.
    The defaults make a model of a few million parameters for one or two small cameras.
    """

    horizon: int = _option(16, "Actions per chunk.")
    n_action_steps: int = _option(8, "Actions executed before the next chunk takes over.")
    n_obs_steps: int = _option(1, "Observations given to the policy.")
    objective: str = _option("flow_matching", "flow_matching or diffusion.")
    sampling_steps: int = _option(10, "Integration or denoising steps at inference.")
    hidden_dim: int = _option(160, "Width of the diffusion transformer.")
    layers: int = _option(4, "Blocks of the diffusion transformer.")
    heads: int = _option(5, "Attention heads of the diffusion transformer.")
    timestep_dim: int = _option(64, "Size of the time embedding.")
    dropout: float = _option(0.0, "Dropout in the diffusion transformer's attention.")
    vision_width: int = _option(128, "Width of the vision tower.")
    vision_layers: int = _option(4, "Layers of the vision tower.")
    vision_heads: int = _option(4, "Attention heads of the vision tower.")
    vision_patch: int = _option(15, "Patch size, pixels.")
    image_crop: int = _option(120, "Side of the (random in training, central at inference) crop, pixels.")
    separate_vision: bool = _option(False, "One vision tower per camera.")
    text_width: int = _option(64, "Width of the text tower.")
    text_layers: int = _option(2, "Layers of the text tower.")
    vocabulary: int = _option(600, "Tokens of the tokenizer that is trained on the instructions.")
    text_length: int = _option(24, "Longest instruction, tokens.")
    action_space: str = _option("relative", "relative (xyz relative to the observed hand) or absolute.")
    per_step_statistics: bool = _option(
        True, "Normalise each future step of the chunk by its own statistics."
    )
