# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder that describes the CLIP towers of a model trained from scratch.

LeRobot builds the towers with transformers' `from_pretrained(vision_encoder_name)` and then overwrites
their weights from model.safetensors. For towers that are on no hub the checkpoint carries a folder with
their config.json and a weights file with a single number: enough to build them, with the checkpoint's
directory as working directory.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, WEIGHTS_FILE, write_json
from lbm_policy_node.policies.checkpoint.tensor_files import write_tensors
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig

LOCAL_ENCODER = "clip"
"""`vision_encoder_name` and `text_encoder_name` of models trained from scratch."""


def is_local_encoder(name: str) -> bool:
    """Whether an encoder's name is our folder inside the checkpoint."""
    return name == LOCAL_ENCODER


def write_encoder_folder(folder: Path, vision: ClipVisionConfig, text: ClipTextConfig) -> None:
    """Write config.json in transformers' form and the nearly empty weights."""
    folder.mkdir(parents=True, exist_ok=True)
    begin = {"bos_token_id": max(text.vocab_size - 2, 0), "pad_token_id": text.eos_token_id}
    data = {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": text.hidden_size,
        "text_config": {"model_type": "clip_text_model", **begin, **asdict(text)},
        "vision_config": {"model_type": "clip_vision_model", "num_channels": 3, **asdict(vision)},
    }
    write_json(folder / CONFIG_FILE, data, indent=2)
    write_tensors(folder / WEIGHTS_FILE, {"logit_scale": torch.tensor(2.6592)})
