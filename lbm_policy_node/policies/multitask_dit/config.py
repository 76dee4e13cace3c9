# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the multitask DiT: every field of LeRobot's `multi_task_dit` config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.extensions import Extensions
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature, parse_features
from lbm_policy_node.policies.multitask_dit.config_checks import check

KIND = "multi_task_dit"
TUPLE_FIELDS = ("image_resize_shape", "image_crop_shape", "optimizer_betas", "tags")
DEFAULT_NORMALIZATION = {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"}


@dataclass(frozen=True)
class MultiTaskDiTConfig:
    """All settings of one multitask DiT; names, defaults and meaning are LeRobot's (lerobot 0.6.2).

    Raises:
        CheckpointError: On construction, naming the field whose value is impossible or unsupported.
    """

    input_features: Mapping[str, Feature]
    output_features: Mapping[str, Feature]
    n_obs_steps: int = 2
    device: str | None = None
    use_amp: bool = False
    use_peft: bool = False
    push_to_hub: bool = True
    repo_id: str | None = None
    private: bool | None = None
    tags: tuple[str, ...] | None = None
    license: str | None = None
    pretrained_path: str | None = None
    pretrained_revision: str | None = None
    horizon: int = 32
    n_action_steps: int = 24
    objective: str = "diffusion"
    noise_scheduler_type: str = "DDPM"
    num_train_timesteps: int = 100
    beta_schedule: str = "squaredcos_cap_v2"
    beta_start: float = 0.0001
    beta_end: float = 0.02
    prediction_type: str = "epsilon"
    clip_sample: bool = True
    clip_sample_range: float = 1.0
    num_inference_steps: int | None = None
    sigma_min: float = 0.0
    num_integration_steps: int = 100
    integration_method: str = "euler"
    timestep_sampling_strategy: str = "beta"
    timestep_sampling_s: float = 0.999
    timestep_sampling_alpha: float = 1.5
    timestep_sampling_beta: float = 1.0
    hidden_dim: int = 512
    num_layers: int = 6
    num_heads: int = 8
    dropout: float = 0.1
    use_positional_encoding: bool = False
    timestep_embed_dim: int = 256
    use_rope: bool = True
    rope_base: float = 10000.0
    vision_encoder_name: str = "openai/clip-vit-base-patch16"
    use_separate_rgb_encoder_per_camera: bool = False
    vision_encoder_lr_multiplier: float = 0.1
    image_resize_shape: tuple[int, int] | None = None
    image_crop_shape: tuple[int, int] | None = (224, 224)
    image_crop_is_random: bool = True
    text_encoder_name: str = "openai/clip-vit-base-patch16"
    tokenizer_max_length: int = 77
    tokenizer_padding: str = "max_length"
    tokenizer_padding_side: str = "right"
    tokenizer_truncation: bool = True
    normalization_mapping: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_NORMALIZATION))
    optimizer_lr: float = 2e-5
    optimizer_betas: tuple[float, float] = (0.95, 0.999)
    optimizer_eps: float = 1e-8
    optimizer_weight_decay: float = 0.0
    scheduler_name: str = "cosine"
    scheduler_warmup_steps: int = 0
    do_mask_loss_for_padding: bool = False
    drop_n_last_frames: int | None = None
    lbm_extensions: Extensions = field(default_factory=Extensions)

    def __post_init__(self) -> None:
        if self.drop_n_last_frames is None:
            dropped = self.horizon - self.n_action_steps - self.n_obs_steps + 1
            object.__setattr__(self, "drop_n_last_frames", dropped)
        check(self)

    @property
    def image_features(self) -> dict[str, Feature]:
        """The cameras in the order in which the conditioning vector holds them."""
        return {key: f for key, f in self.input_features.items() if f.type == "VISUAL"}

    @property
    def state_dim(self) -> int:
        """Width of `observation.state`."""
        return self.input_features[STATE_KEY].shape[0]

    @property
    def action_dim(self) -> int:
        """Width of `action`."""
        return self.output_features[ACTION_KEY].shape[0]

    @property
    def inference_steps(self) -> int:
        """Denoising steps of the diffusion samplers."""
        return self.num_inference_steps or self.num_train_timesteps

    @property
    def first_row(self) -> int:
        """Row of the predicted horizon that belongs to the newest observation."""
        return self.n_obs_steps - 1

    def to_dict(self) -> dict[str, Any]:
        """The content of config.json; `lbm_extensions` only where one is used."""
        data: dict[str, Any] = {"type": KIND}
        for entry in fields(self):
            value = getattr(self, entry.name)
            data[entry.name] = list(value) if isinstance(value, tuple) else value
        for name in ("input_features", "output_features"):
            data[name] = {key: f.to_dict() for key, f in data[name].items()}
        data["normalization_mapping"] = dict(self.normalization_mapping)
        extensions = data.pop("lbm_extensions")
        return {**data, "lbm_extensions": extensions.to_dict()} if extensions else data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], file: str = "") -> MultiTaskDiTConfig:
        """Read the content of config.json; nothing unknown is tolerated.

        Raises:
            CheckpointError: Another policy type, an unknown field, or an impossible value, by name.
        """
        values = dict(data)
        kind = values.pop("type", None)
        if kind != KIND:
            raise CheckpointError(file, "type", f"is {kind!r}, expected {KIND!r}")
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise CheckpointError(file, ", ".join(unknown), "unknown field of a multi_task_dit configuration")
        for name in ("input_features", "output_features"):
            values[name] = parse_features(values.get(name), name, file)
        for name in TUPLE_FIELDS:
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        if "lbm_extensions" in values:
            values["lbm_extensions"] = Extensions.from_dict(values["lbm_extensions"], file)
        try:
            return cls(**values)
        except CheckpointError as error:
            raise CheckpointError(file, error.field, error.expectation) from error
