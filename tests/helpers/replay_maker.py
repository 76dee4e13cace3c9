# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes a tiny checkpoint, perturbs it, and records episodes with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mcap.reader import make_reader
from safetensors.torch import load_file, save_file

from helpers.episode_maker import make_episode
from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.data.episodes.episode_header import HEADER_FILE, SPEC_FILE
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.multitask_dit.checkpoint import create_checkpoint
from lbm_policy_node.policies.multitask_dit.clip_config import ClipTextConfig, ClipVisionConfig
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.policies.tokenizer_training import train_tokenizer

SIDE, TOKENS, N_SAMPLES = 24, 16, 4
CAMERAS = ("observation.images.front", "observation.images.wrist")
PLACE, REACH = np.array([0.0, 0.6, 0.2, -1.0]), 0.02


def spec_file(folder: Path) -> Path:
    """The shipped simulated robot with small pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.yaml"
    text = shared_path("config/robots/metaworld.yaml").read_text()
    path.write_text(text.replace("height: 128, width: 128", f"height: {SIDE}, width: {SIDE}"))
    return path


def make_checkpoint(folder: Path) -> Path:
    """A policy with random weights whose actions stay near the place where the made episodes begin."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = MultiTaskDiTConfig(
        input_features={
            "observation.state": Feature("STATE", (4,)),
            **{camera: Feature("VISUAL", (3, SIDE, SIDE)) for camera in CAMERAS},
        },
        output_features={"action": Feature("ACTION", (4,))},
        n_obs_steps=2,
        horizon=16,
        n_action_steps=8,
        objective="flow_matching",
        num_integration_steps=3,
        hidden_dim=32,
        num_layers=1,
        num_heads=4,
        timestep_embed_dim=16,
        vision_encoder_name="clip",
        text_encoder_name="clip",
        image_crop_shape=None,
        tokenizer_max_length=TOKENS,
        drop_n_last_frames=0,
    )
    vision = ClipVisionConfig(32, 64, 2, 2, image_size=SIDE, patch_size=8)
    text = ClipTextConfig(32, 64, 2, 2, vocab_size=530, max_position_embeddings=TOKENS, eos_token_id=529)
    model = MultiTaskDiT(config, vision, text)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.08)
    stats: dict[str, Any] = {
        "observation.state": {"min": np.append(PLACE[:3] - 0.1, 0.0), "max": np.append(PLACE[:3] + 0.1, 1.0)},
        "action": {"min": PLACE - REACH, "max": PLACE + REACH},
        **{camera: {"mean": np.full(3, 0.5), "std": np.full(3, 0.25)} for camera in CAMERAS},
    }
    return create_checkpoint(
        folder,
        model.eval(),
        stats=stats,
        tokenizer=train_tokenizer(("move the square", "open the door"), 530),
        sidecar=Sidecar(step_s=0.05, action_names=("x", "y", "z", "gripper")),
        dtype=torch.float32,
    )


def perturb(checkpoint: Path, folder: Path, *, by: float = 0.05) -> Path:
    """Copy a checkpoint and change the largest matrix of its noise predictor."""
    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / "model.safetensors")
    matrices = {name: w for name, w in weights.items() if "noise_predictor" in name and w.ndim == 2}
    name = max(matrices, key=lambda key: matrices[key].numel())
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(weights[name].shape, generator=generator)
    weights[name] = weights[name] + by * noise * weights[name].std()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def make_recording(folder: Path, checkpoint: Path, **recipe: Any) -> Path:
    """Record an episode of a checkpoint."""
    policy = load_policy(checkpoint, threads=1)
    values: dict[str, Any] = {
        "spec": spec_file(folder.parent),
        "infer": lambda history, n, seed: policy.infer(history, n_samples=n, seed=seed),
        "checkpoint_id": policy.spec.checkpoint_id,
        "n_obs_steps": policy.spec.n_obs_steps,
        "horizon": policy.spec.horizon,
        "n_samples": N_SAMPLES if policy.spec.stochastic else 1,
    }
    return make_episode(folder, **(values | recipe))


def rewrite(
    source: Path,
    folder: Path,
    change: Callable[[str, int, Any], list[Any] | None],
    topics: set[str],
    *,
    definitions: MessageTypes | None = None,
) -> Path:
    """Copy an episode, changing messages on the way.

    Args:
        source: Folder of an episode.
        folder: Of the copy.
        change: Takes topic, number within the topic, and message; returns what to write in its place, or None
            for the same.
        topics: Whose messages are changed; the others are copied as they are.
        definitions: What is embedded as the types' definitions.
    """
    types = MessageTypes()
    folder.mkdir(parents=True)
    for name in (HEADER_FILE, SPEC_FILE):
        shutil.copy(source / name, folder / name)
    with (source / f"{source.name}.mcap").open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        assert summary is not None
        kinds = {c.topic: summary.schemas[c.schema_id].name for c in summary.channels.values()}
        writer = BagWriter(folder, kinds, definitions or types)
        numbers = dict.fromkeys(kinds, 0)
        for _, channel, message in reader.iter_messages():
            topic = channel.topic
            written: list[bytes] = [message.data]
            if topic in topics:
                value = types.store.deserialize_cdr(message.data, kinds[topic])
                changed = change(topic, numbers[topic], value)
                if changed is not None:
                    written = [types.serialize(new, kinds[topic]) for new in changed]
                numbers[topic] += 1
            for data in written:
                writer.write(topic, message.log_time, data)
    writer.close({"dropped": "0"})
    return folder
