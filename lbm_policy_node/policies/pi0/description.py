# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Describes a pi0 or pi0.5 checkpoint in words."""

from __future__ import annotations

from lbm_policy_node.policies.checkpoint.files import WEIGHTS_FILE
from lbm_policy_node.policies.pi0.checkpoint import Checkpoint
from lbm_policy_node.policies.pi0.sizes import GemmaSize


def describe_checkpoint(checkpoint: Checkpoint) -> dict[str, str]:
    """Sizes, sampler, normalisation and cameras, by heading."""
    config, model, sizes = checkpoint.config, checkpoint.model, checkpoint.model.sizes
    language = model.paligemma_with_expert.paligemma
    counts = {
        "in total": sum(p.numel() for p in model.parameters()),
        "in vision and language": sum(p.numel() for p in language.parameters()),
        "in the action expert": sum(p.numel() for p in model.expert.parameters()),
    }
    vision = sizes.vision
    lines = {
        "size": f"{(checkpoint.directory / WEIGHTS_FILE).stat().st_size / 1e6:.1f} MB",
        "parameters": ", ".join(f"{count:,} {where}" for where, count in counts.items()),
        "computed in": str(model.expert.dtype).removeprefix("torch."),
        "objective": f"flow matching, euler, {config.num_inference_steps} steps",
        "vision": f"SigLIP, {vision.layers} layers of width {vision.hidden}, {vision.heads} heads, "
        f"{vision.side} pixels, patches of {vision.patch}",
        "language": f"{_gemma(sizes.language)}, {checkpoint.tokenizer.vocabulary_size} tokens, "
        f"prompts up to {checkpoint.processors.tokenizer.max_length}",
        "expert": _gemma(sizes.expert),
        "state": "256 bins in the prompt" if config.adaptive else "one token",
    }
    for key in (*config.input_features, *config.output_features):
        if key in checkpoint.processors.inputs.features:
            lines[f"normalisation of {key}"] = checkpoint.processors.inputs.mode(key)
    missing = set(config.image_features) - set(config.real_cameras) | set(checkpoint.sidecar.absent_cameras)
    if missing:
        lines["masked cameras"] = ", ".join(sorted(missing))
    if checkpoint.processors.relative.enabled:
        mask = checkpoint.processors.relative.mask(config.action_dim)
        lines["relative actions"] = f"columns {[i for i, relative in enumerate(mask) if relative]}"
    return lines | {str(key): str(value) for key, value in checkpoint.sidecar.provenance.items()}


def _gemma(size: GemmaSize) -> str:
    return f"Gemma, {size.layers} layers of width {size.width}, {size.heads} heads of {size.head_dim}"
