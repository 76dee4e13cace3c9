# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of pi0 and pi0.5: every field of LeRobot's config.json of either type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature, parse_features
from lbm_policy_node.policies.pi0.config_checks import check

KINDS = ("pi0", "pi05")
PI05_ONLY = (
    "use_visual_memory", "use_proprioceptive_memory", "memory_frames", "memory_stride",
    "memory_temporal_attention_every", "rtc_training_max_delay",
)  # fmt: skip
PI05_DEFAULTS = {
    "tokenizer_max_length": 200,
    "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"},
}
TUPLE_FIELDS = (
    "image_resolution",
    "optimizer_betas",
    "tags",
    "relative_exclude_joints",
    "action_feature_names",
)


def _pi0_normalization() -> dict[str, str]:
    return {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}


@dataclass(frozen=True)
class Pi0Config:
    """All settings of one pi0 or pi0.5; names, defaults and meaning are LeRobot's (lerobot 0.6.2).

    Raises:
        CheckpointError: On construction, naming the field whose value is impossible or unsupported.
    """

    kind: str
    """config.json's "type": "pi0" or "pi05"."""
    input_features: Mapping[str, Feature]
    output_features: Mapping[str, Feature]
    n_obs_steps: int = 1
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
    paligemma_variant: str = "gemma_2b"
    action_expert_variant: str = "gemma_300m"
    dtype: str = "float32"
    chunk_size: int = 50
    n_action_steps: int = 50
    use_visual_memory: bool = False
    use_proprioceptive_memory: bool = False
    memory_frames: int = 6
    memory_stride: int = 30
    memory_temporal_attention_every: int = 4
    max_state_dim: int = 32
    max_action_dim: int = 32
    num_inference_steps: int = 10
    time_sampling_beta_alpha: float = 1.5
    time_sampling_beta_beta: float = 1.0
    time_sampling_scale: float = 0.999
    time_sampling_offset: float = 0.001
    min_period: float = 4e-3
    max_period: float = 4.0
    use_relative_actions: bool = False
    relative_exclude_joints: tuple[str, ...] = ("gripper",)
    action_feature_names: tuple[str, ...] | None = None
    rtc_config: Mapping[str, Any] | None = None
    rtc_training_max_delay: int = 0
    image_resolution: tuple[int, int] = (224, 224)
    empty_cameras: int = 0
    tokenizer_max_length: int = 48
    normalization_mapping: Mapping[str, str] = field(default_factory=_pi0_normalization)
    gradient_checkpointing: bool = False
    compile_model: bool = False
    compile_mode: str = "max-autotune"
    freeze_vision_encoder: bool = False
    train_expert_only: bool = False
    optimizer_lr: float = 2.5e-5
    optimizer_betas: tuple[float, float] = (0.9, 0.95)
    optimizer_eps: float = 1e-8
    optimizer_weight_decay: float = 0.01
    optimizer_grad_clip_norm: float = 1.0
    scheduler_warmup_steps: int = 1_000
    scheduler_decay_steps: int = 30_000
    scheduler_decay_lr: float = 2.5e-6

    def __post_init__(self) -> None:
        check(self)

    @property
    def adaptive(self) -> bool:
        """pi0.5: the time enters by adaptive norms, the state by the prompt."""
        return self.kind == "pi05"

    @property
    def image_features(self) -> dict[str, Feature]:
        """The cameras in the order of the prefix."""
        return {key: f for key, f in self.input_features.items() if f.type == "VISUAL"}

    @property
    def real_cameras(self) -> dict[str, Feature]:
        """The cameras that exist: LeRobot's `empty_camera_<i>` are places without one."""
        return {key: f for key, f in self.image_features.items() if ".empty_camera_" not in key}

    @property
    def state_dim(self) -> int:
        """Width of `observation.state` before padding."""
        return self.input_features[STATE_KEY].shape[0]

    @property
    def action_dim(self) -> int:
        """Width of `action` before padding."""
        return self.output_features[ACTION_KEY].shape[0]

    def to_dict(self) -> dict[str, Any]:
        """The content of config.json."""
        data: dict[str, Any] = {"type": self.kind}
        for entry in fields(self):
            if entry.name == "kind" or (entry.name in PI05_ONLY and not self.adaptive):
                continue
            value = getattr(self, entry.name)
            data[entry.name] = list(value) if isinstance(value, tuple) else value
        for name in ("input_features", "output_features"):
            data[name] = {key: f.to_dict() for key, f in data[name].items()}
        return {**data, "normalization_mapping": dict(self.normalization_mapping)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], file: str = "") -> Pi0Config:
        """Read the content of config.json; nothing unknown is tolerated.

        Raises:
            CheckpointError: Another policy type, an unknown field, or an impossible value, by name.
        """
        values = dict(data)
        kind = values.pop("type", None)
        if kind not in KINDS:
            raise CheckpointError(file, "type", f"is {kind!r}, expected one of {KINDS}")
        known = {entry.name for entry in fields(cls)} - {"kind"}
        known -= set() if kind == "pi05" else set(PI05_ONLY)
        unknown = sorted(set(values) - known)
        if unknown:
            raise CheckpointError(file, ", ".join(unknown), f"unknown field of a {kind} configuration")
        if kind == "pi05":
            values = {**PI05_DEFAULTS, **values}
        for name in ("input_features", "output_features"):
            values[name] = parse_features(values.get(name), name, file)
        for name in TUPLE_FIELDS:
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        try:
            return cls(kind=kind, **values)
        except CheckpointError as error:
            raise CheckpointError(file, error.field, error.expectation) from error
