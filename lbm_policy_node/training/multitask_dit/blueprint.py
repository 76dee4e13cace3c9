# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Build a new multitask DiT from a dataset's features."""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer

from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.policies.checkpoint.extensions import Extensions, RelativePose
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.encoder_folder import LOCAL_ENCODER
from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.policies.tokenizer import END
from lbm_policy_node.policies.tokenizer_training import train_tokenizer
from lbm_policy_node.training.config import ModelSize, TrainConfig

NORMALIZATION = {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A model to train and what belongs to it."""

    model: MultiTaskDiT
    tokenizer: Tokenizer
    config: MultiTaskDiTConfig


def from_scratch(dataset: Dataset, size: ModelSize, train: TrainConfig) -> Blueprint:
    """Make a new model of a given size; its tokenizer is trained on the dataset's instructions."""
    tokenizer = train_tokenizer(dataset.instructions, size.vocabulary)
    end = tokenizer.token_to_id(END)
    assert end is not None, "every tokenizer that we train has an end token"
    config = _config(dataset, size, train)
    vision = ClipVisionConfig(
        hidden_size=size.vision_width,
        intermediate_size=4 * size.vision_width,
        num_hidden_layers=size.vision_layers,
        num_attention_heads=size.vision_heads,
        image_size=size.image_crop,
        patch_size=size.vision_patch,
    )
    text = ClipTextConfig(
        hidden_size=size.text_width,
        intermediate_size=4 * size.text_width,
        num_hidden_layers=size.text_layers,
        num_attention_heads=2,
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=size.text_length,
        eos_token_id=end,
    )
    return Blueprint(MultiTaskDiT(config, vision, text, train_text_tower=True), tokenizer, config)


def _config(dataset: Dataset, size: ModelSize, train: TrainConfig) -> MultiTaskDiTConfig:
    return MultiTaskDiTConfig(
        input_features=_inputs(dataset),
        output_features={ACTION_KEY: Feature("ACTION", (len(dataset.features.vectors[ACTION_KEY]),))},
        n_obs_steps=size.n_obs_steps,
        horizon=size.horizon,
        n_action_steps=size.n_action_steps,
        objective=size.objective,
        noise_scheduler_type="DDIM",
        num_inference_steps=size.sampling_steps,
        num_integration_steps=size.sampling_steps,
        hidden_dim=size.hidden_dim,
        num_layers=size.layers,
        num_heads=size.heads,
        dropout=size.dropout,
        timestep_embed_dim=size.timestep_dim,
        vision_encoder_name=LOCAL_ENCODER,
        text_encoder_name=LOCAL_ENCODER,
        use_separate_rgb_encoder_per_camera=size.separate_vision,
        vision_encoder_lr_multiplier=1.0,
        image_crop_shape=(size.image_crop, size.image_crop),
        tokenizer_max_length=size.text_length,
        normalization_mapping=NORMALIZATION,
        optimizer_lr=train.learning_rate,
        optimizer_weight_decay=train.weight_decay,
        scheduler_warmup_steps=train.warmup_steps,
        drop_n_last_frames=0,
        push_to_hub=False,
        lbm_extensions=_extensions(dataset, size),
    )


def _inputs(dataset: Dataset) -> dict[str, Feature]:
    cameras = {key: Feature("VISUAL", (3, *shape)) for key, shape in dataset.features.cameras.items()}
    return {STATE_KEY: Feature("STATE", (len(dataset.features.vectors[STATE_KEY]),)), **cameras}


def _extensions(dataset: Dataset, size: ModelSize) -> Extensions:
    if size.action_space not in ("absolute", "relative"):
        raise ValueError(f"action_space must be absolute or relative, is '{size.action_space}'")
    poses = (_relative_position(dataset),) if size.action_space == "relative" else ()
    return Extensions(per_timestep_action_stats=size.per_step_statistics, relative_poses=poses)


def _relative_position(dataset: Dataset) -> RelativePose:
    for key in (ACTION_KEY, STATE_KEY):
        names = tuple(dataset.features.vectors[key])
        if names[:3] != ("x", "y", "z"):
            raise ValueError(f"relative actions need '{key}' to begin with x, y, z; it has {list(names)}")
    return RelativePose(action_start=0, action_kind="position", state_start=0, state_kind="position")
