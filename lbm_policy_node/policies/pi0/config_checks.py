# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuses pi0 configuration values that are impossible or that the model does not support, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of, require
from lbm_policy_node.policies.normalization import REQUIRED_STATS

if TYPE_CHECKING:
    from lbm_policy_node.policies.pi0.config import Pi0Config

CHOICES = {
    "kind": ("pi0", "pi05"),
    "n_obs_steps": (1,),
    "use_peft": (False,),
    "use_visual_memory": (False,),
    "use_proprioceptive_memory": (False,),
    "dtype": ("float32", "bfloat16"),
}
NORMALIZATION_MODES = tuple(REQUIRED_STATS)
POSITIVE = (
    "chunk_size", "n_action_steps", "max_state_dim", "max_action_dim", "num_inference_steps",
    "time_sampling_beta_alpha", "time_sampling_beta_beta", "min_period", "max_period", "tokenizer_max_length",
    "optimizer_lr", "optimizer_eps",
)  # fmt: skip


def check(config: Pi0Config) -> None:
    """Raise CheckpointError for the first field whose value cannot be honoured."""
    check_types(config)
    for name, allowed in CHOICES.items():
        require(name, getattr(config, name), getattr(config, name) in allowed, f"one of {allowed}")
    for name in POSITIVE:
        require(name, getattr(config, name), getattr(config, name) > 0, "a positive number")
    _check_sequences(config)
    _check_features(config)
    rows = config.n_action_steps
    require("n_action_steps", rows, rows <= config.chunk_size, f"at most chunk_size {config.chunk_size}")
    for kind, mode in config.normalization_mapping.items():
        require(
            f"normalization_mapping.{kind}",
            mode,
            mode in NORMALIZATION_MODES,
            f"one of {NORMALIZATION_MODES}",
        )


def _check_sequences(config: Pi0Config) -> None:
    size = config.image_resolution
    good = is_sequence_of(size, int) and len(size) == 2 and min(size) > 0
    require("image_resolution", size, good, "(height, width)")
    require("image_resolution", size, size[0] == size[1], "a square")
    for name in ("tags", "relative_exclude_joints", "action_feature_names"):
        value = getattr(config, name)
        require(name, value, value is None or is_sequence_of(value, str), "null or a list of names")
    betas = config.optimizer_betas
    require("optimizer_betas", betas, is_sequence_of(betas, float) and len(betas) == 2, "two numbers")


def _check_features(config: Pi0Config) -> None:
    state = config.input_features.get(STATE_KEY)
    good = state is not None and state.type == "STATE" and len(state.shape) == 1
    require(f"input_features.{STATE_KEY}", state, good, "a STATE feature with one axis")
    action = config.output_features.get(ACTION_KEY)
    good = action is not None and action.type == "ACTION" and len(action.shape) == 1
    require(f"output_features.{ACTION_KEY}", action, good, "an ACTION feature with one axis")
    for key, feature in config.input_features.items():
        good = key == STATE_KEY or (feature.type == "VISUAL" and feature.shape[0] == 3)
        require(
            f"input_features.{key}", feature, good, "only observation.state and VISUAL (3, height, width)"
        )
    extra = sorted(set(config.output_features) - {ACTION_KEY})
    require("output_features", extra, not extra, "only action")
    for name, width, room in (
        (STATE_KEY, config.state_dim, config.max_state_dim),
        (ACTION_KEY, config.action_dim, config.max_action_dim),
    ):
        require(name, width, width <= room, f"at most the network's width {room}")
    cameras = list(config.real_cameras)
    require("input_features", cameras, bool(cameras), "at least one camera")
