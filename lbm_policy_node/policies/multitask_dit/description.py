# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Describes a multitask DiT checkpoint in words."""

from __future__ import annotations

from lbm_policy_node.policies.checkpoint.files import WEIGHTS_FILE
from lbm_policy_node.policies.multitask_dit.checkpoint import Checkpoint
from lbm_policy_node.policies.multitask_dit.clip_config import ClipConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig


def describe_checkpoint(checkpoint: Checkpoint) -> dict[str, str]:
    """Size, objective, normalisation and towers, by heading."""
    config, model = checkpoint.config, checkpoint.model
    size = (checkpoint.directory / WEIGHTS_FILE).stat().st_size
    parameters = {
        "in total": sum(p.numel() for p in model.parameters()),
        "in the network": sum(p.numel() for p in model.noise_predictor.parameters()),
        "in the encoders": sum(p.numel() for p in model.observation_encoder.parameters()),
    }
    lines = {
        "size": f"{size / 1e6:.1f} MB",
        "parameters": ", ".join(f"{count:,} {where}" for where, count in parameters.items()),
        "objective": _objective(config),
        "network": f"{config.num_layers} blocks of width {config.hidden_dim}, {config.num_heads} heads",
        "vision": f"{_tower(model.vision_config)}, {model.vision_config.image_size} pixels, "
        f"patches of {model.vision_config.patch_size}",
        "text": f"{_tower(model.text_config)}, {checkpoint.tokenizer.vocabulary_size} tokens",
    }
    for key, feature in {**config.input_features, **config.output_features}.items():
        mode = checkpoint.processors.inputs.mode(key)
        steps = (
            ", per time step"
            if feature.type == "ACTION" and config.lbm_extensions.per_timestep_action_stats
            else ""
        )
        lines[f"normalisation of {key}"] = mode + steps
    for pose in config.lbm_extensions.relative_poses:
        columns = pose.action_slice
        lines[f"action {columns.start} to {columns.stop - 1}"] = (
            f"{pose.action_kind}, relative to the {pose.reference} observation"
        )
    for key, value in checkpoint.sidecar.provenance.items():
        lines[str(key)] = str(value)
    return lines


def _objective(config: MultiTaskDiTConfig) -> str:
    if config.objective == "diffusion":
        sampler = (
            f"{config.noise_scheduler_type}, {config.inference_steps} of {config.num_train_timesteps} steps"
        )
        return f"diffusion, {sampler}, predicts {config.prediction_type}"
    return f"flow matching, {config.integration_method}, {config.num_integration_steps} steps"


def _tower(config: ClipConfig) -> str:
    layers, width, heads = config.num_hidden_layers, config.hidden_size, config.num_attention_heads
    return f"CLIP, {layers} layers of width {width}, {heads} heads"
