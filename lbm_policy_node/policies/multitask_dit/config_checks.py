# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Refuses configuration values that are impossible or that the model does not support, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY
from lbm_policy_node.policies.checkpoint.field_types import check_types, is_sequence_of, require

if TYPE_CHECKING:
    from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig

CHOICES = {
    "objective": ("diffusion", "flow_matching"),
    "noise_scheduler_type": ("DDPM", "DDIM"),
    "beta_schedule": ("squaredcos_cap_v2", "linear", "scaled_linear"),
    "prediction_type": ("epsilon", "sample"),
    "integration_method": ("euler", "rk4"),
    "timestep_sampling_strategy": ("beta", "uniform"),
    "tokenizer_padding": ("max_length", "longest", "do_not_pad"),
    "tokenizer_padding_side": ("right",),
    "use_peft": (False,),
}
NORMALIZATION_MODES = ("IDENTITY", "MEAN_STD", "MIN_MAX", "QUANTILES", "QUANTILE10")
POSITIVE = (
    "n_obs_steps", "horizon", "n_action_steps", "num_train_timesteps", "clip_sample_range", "hidden_dim",
    "num_layers", "num_heads", "timestep_embed_dim", "rope_base", "num_integration_steps",
    "timestep_sampling_alpha", "timestep_sampling_beta", "tokenizer_max_length", "optimizer_lr",
    "optimizer_eps",
)  # fmt: skip
RANGES = {
    "beta_start": (0.0, 1.0),
    "beta_end": (0.0, 1.0),
    "sigma_min": (0.0, 1.0),
    "dropout": (0.0, 1.0),
    "timestep_sampling_s": (0.0, 1.0),
}


def check(config: MultiTaskDiTConfig) -> None:
    """Raise CheckpointError for the first field whose value cannot be honoured."""
    check_types(config)
    _check_tuples(config)
    for name, allowed in CHOICES.items():
        require(name, getattr(config, name), getattr(config, name) in allowed, f"one of {allowed}")
    for name in POSITIVE:
        require(name, getattr(config, name), getattr(config, name) > 0, "a positive number")
    for name, (low, high) in RANGES.items():
        require(name, getattr(config, name), low <= getattr(config, name) <= high, f"{low} to {high}")
    _check_sizes(config)
    _check_features(config)
    _check_images(config)
    for kind, mode in config.normalization_mapping.items():
        require(f"normalization_mapping.{kind}", mode, mode in NORMALIZATION_MODES, f"{NORMALIZATION_MODES}")


def _check_tuples(config: MultiTaskDiTConfig) -> None:
    for name in ("image_resize_shape", "image_crop_shape"):
        value = getattr(config, name)
        good = value is None or (is_sequence_of(value, int) and len(value) == 2 and min(value) > 0)
        require(name, value, good, "null or (height, width)")
    betas = config.optimizer_betas
    good = isinstance(betas, tuple) and len(betas) == 2 and all(isinstance(b, float) for b in betas)
    require("optimizer_betas", betas, good, "two numbers")
    tags = config.tags
    require("tags", tags, tags is None or is_sequence_of(tags, str), "null or a list of names")


def _check_sizes(config: MultiTaskDiTConfig) -> None:
    heads, hidden = config.num_heads, config.hidden_dim
    require("num_heads", heads, hidden % heads == 0, f"a divisor of hidden_dim {hidden}")
    require(
        "num_heads", heads, not config.use_rope or (hidden // heads) % 2 == 0, "an even head size for RoPE"
    )
    require(
        "timestep_embed_dim", config.timestep_embed_dim, config.timestep_embed_dim % 2 == 0, "an even number"
    )
    require("timestep_embed_dim", config.timestep_embed_dim, config.timestep_embed_dim > 2, "at least 4")
    rows = config.horizon - config.first_row
    require("n_action_steps", config.n_action_steps, config.n_action_steps <= rows, f"at most {rows}")
    steps = config.num_inference_steps
    good = steps is None or 0 < steps <= config.num_train_timesteps
    require("num_inference_steps", steps, good, f"null or 1 to {config.num_train_timesteps}")
    require("beta_end", config.beta_end, config.beta_end >= config.beta_start, "at least beta_start")


def _check_features(config: MultiTaskDiTConfig) -> None:
    state = config.input_features.get(STATE_KEY)
    good = state is not None and state.type == "STATE" and len(state.shape) == 1
    require(f"input_features.{STATE_KEY}", state, good, "a STATE feature with one axis")
    action = config.output_features.get(ACTION_KEY)
    good = action is not None and action.type == "ACTION" and len(action.shape) == 1
    require(f"output_features.{ACTION_KEY}", action, good, "an ACTION feature with one axis")
    for key, feature in config.input_features.items():
        good = key == STATE_KEY or feature.type == "VISUAL"
        require(f"input_features.{key}", feature.type, good, "only observation.state and VISUAL features")
    extra = sorted(set(config.output_features) - {ACTION_KEY})
    require("output_features", extra, not extra, "only action")
    for pose in config.lbm_extensions.relative_poses:
        require(
            "lbm_extensions.relative_poses",
            pose,
            pose.action_slice.stop <= config.action_dim,
            "to fit action",
        )
        require(
            "lbm_extensions.relative_poses",
            pose,
            pose.state_slice.stop <= config.state_dim,
            "to fit the state",
        )


def _check_images(config: MultiTaskDiTConfig) -> None:
    shapes = {key: f.shape for key, f in config.image_features.items()}
    for key, shape in shapes.items():
        require(f"input_features.{key}.shape", shape, len(shape) == 3 and shape[0] == 3, "(3, height, width)")
    require("input_features", shapes, len(set(shapes.values())) <= 1, "the same shape for all cameras")
    crop, resize = config.image_crop_shape, config.image_resize_shape
    good = not (crop and resize) or (crop[0] <= resize[0] and crop[1] <= resize[1])
    require("image_crop_shape", crop, good, f"at most image_resize_shape {resize}")
