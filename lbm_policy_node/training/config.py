# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from lbm_policy_node.core.settings import check_settings, setting
from lbm_policy_node.policies.kind import PolicyKind
from lbm_policy_node.policies.registry import kinds_with

_RULES = ("lfi", "mfi", "oldest", "newest", "uniform")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the weights are found; each field is a flag of `lbm train`."""

    steps: int = setting(20_000, "Optimiser steps in all.", low=1)
    batch_size: int = setting(64, "Observations per step and process.", low=1)
    draws: int = setting(4, "Noise draws per observation; they share its encoding.", low=1)
    goal_weight: float = setting(0.0, "Weight of predicting where the episode ends, an auxiliary target.")
    weights: str = setting(
        "none",
        "Weight of each step by who drove; sirius and iwr need the column control_mode.",
        choices=("none", "sirius", "iwr"),
    )
    memory: str = setting(
        "all",
        "Episodes to learn from: all, or the rule that rejects what is beyond the cap.",
        choices=("all", *_RULES),
    )
    cap: int = setting(0, "Most episodes to learn from, with a rule for memory.", low=0)
    optimizer: str = setting("adamw", "The optimiser; the reference uses adam.", choices=("adamw", "adam"))
    learning_rate: float = setting(3e-4, "Largest learning rate.")
    weight_decay: float = setting(1e-4, "Weight decay (AdamW).")
    warmup_steps: int = setting(300, "Steps of linear warm-up; a cosine to zero follows.")
    clip_norm: float = setting(10.0, "Largest norm of the gradient.")
    ema_decay: float = setting(0.999, "Decay of the average of the weights, which is what is saved; 0: none.")
    precision: str = setting(
        "auto", "Of the computation; auto: bf16 on CUDA.", choices=("auto", "fp32", "bf16")
    )
    seed: int = setting(0, "Decides initial weights, order and noise.")
    storage: str = setting(
        "float32",
        "Type of the weights in checkpoints; float16 has half the size.",
        choices=("float32", "float16"),
    )
    checkpoint_every: int = setting(2_000, "Steps between checkpoints.", low=1)
    log_every: int = setting(20, "Steps between log lines.", low=1)

    def __post_init__(self) -> None:
        check_settings(self)
        if (self.memory == "all") != (self.cap == 0) or self.cap < 0:
            raise ValueError(
                f"memory '{self.memory}' with cap {self.cap}: a rule needs a cap of at least 1, a cap a rule"
            )


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

    policy: str = setting("dit", "A new policy: dit (multitask DiT), pi0, pi05, or another package's.")
    init: str = setting("", "Checkpoint folder to fine-tune (pi0, pi05, or another package's).")
    train: str = setting("all", "What learns: all, or expert (pi0: vision and language stay as they are).")
    pi0_size: str = setting("tiny", "Shape of a new pi0.", choices=("tiny", "small", "full"))
    tokenizer: str = setting("", "Tokenizer folder or file for init, if the checkpoint has none.")
    gradient_checkpointing: bool = setting(False, "pi0: less memory for more computing.")

    def __post_init__(self) -> None:
        check_settings(self)
        kinds = trained_kinds()
        for name, known in (
            ("policy", tuple(kinds)),
            ("train", tuple(dict.fromkeys(part for kind in kinds.values() for part in kind.trainable_parts))),
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

    horizon: int = setting(16, "Actions per chunk.")
    n_action_steps: int = setting(8, "Actions executed before the next chunk takes over.")
    n_obs_steps: int = setting(1, "Observations given to the policy.")
    objective: str = setting(
        "flow_matching", "What the network learns.", choices=("flow_matching", "diffusion")
    )
    sampling_steps: int = setting(10, "Integration or denoising steps at inference.")
    hidden_dim: int = setting(160, "Width of the diffusion transformer.")
    layers: int = setting(4, "Blocks of the diffusion transformer.")
    heads: int = setting(5, "Attention heads of the diffusion transformer.")
    timestep_dim: int = setting(64, "Size of the time embedding.")
    dropout: float = setting(0.0, "Dropout in the diffusion transformer's attention.")
    vision_width: int = setting(128, "Width of the vision tower.")
    vision_layers: int = setting(4, "Layers of the vision tower.")
    vision_heads: int = setting(4, "Attention heads of the vision tower.")
    vision_patch: int = setting(15, "Patch size.", unit="px")
    image_crop: int = setting(120, "Side of the (random in training, central at inference) crop.", unit="px")
    separate_vision: bool = setting(False, "One vision tower per camera.")
    text_width: int = setting(64, "Width of the text tower.")
    text_layers: int = setting(2, "Layers of the text tower.")
    vocabulary: int = setting(600, "Tokens of the tokenizer that is trained on the instructions.")
    text_length: int = setting(24, "Longest instruction, tokens.")
    action_space: str = setting(
        "relative", "relative: xyz relative to the observed hand.", choices=("relative", "absolute")
    )
    per_step_statistics: bool = setting(
        True, "Normalise each future step of the chunk by its own statistics."
    )
