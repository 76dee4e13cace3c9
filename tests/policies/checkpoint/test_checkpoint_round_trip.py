# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is written is read back: to the bit, in both spellings, in half precision, and by transformers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPVisionModel

from lbm_policy_node.policies.checkpoint.extensions import Extensions, RelativePose
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.multitask_dit.checkpoint import (
    create_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy

Write = Callable[..., Path]


def rewrite_names(directory: Path, *changes: tuple[str, str]) -> None:
    """Replace parts of the tensors' names."""
    tensors = load_file(directory / "model.safetensors")
    renamed = {}
    for name, tensor in tensors.items():
        for old, new in changes:
            name = name.replace(old, new)
        renamed[name] = tensor
    assert set(renamed) != set(tensors)
    save_file(renamed, directory / "model.safetensors")


def test_saved_golden_checkpoint_is_equal_to_the_bit(golden: Any, tmp_path: Path) -> None:
    directory = save_checkpoint(tmp_path / "dit" / "again", golden.checkpoint)
    for name in ("model.safetensors", "policy_preprocessor_step_4_normalizer_processor.safetensors"):
        before, after = load_file(golden.directory / name), load_file(directory / name)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before)
    for name in ("config.json", "policy_preprocessor.json", "policy_postprocessor.json"):
        assert json.loads((golden.directory / name).read_text()) == json.loads((directory / name).read_text())


def test_checkpoint_saved_and_loaded_again_infers_the_same_bits(golden: Any, tmp_path: Path) -> None:
    directory = save_checkpoint(tmp_path / "again", golden.checkpoint)
    history = golden.observations()[:2]
    first = load_policy(golden.directory).infer(history, seed=3, n_samples=2)
    again = load_policy(directory).infer(history, seed=3, n_samples=2)
    assert np.array_equal(first, again)


def test_new_checkpoint_keeps_every_tensor(small: Any, small_checkpoint: Write) -> None:
    loaded = load_checkpoint(small_checkpoint()).model.state_dict()
    expected = small.model(small.config()).state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_averaged_weights_are_written_instead_of_the_models(small: Any, tmp_path: Path) -> None:
    model = small.model()
    average = {name: tensor * 0.5 for name, tensor in model.state_dict().items()}
    directory = create_checkpoint(
        tmp_path / "ema", model, stats=small.stats(model.config), tokenizer=small.tokenizer(), weights=average
    )
    loaded = load_checkpoint(directory).model.state_dict()
    assert all(torch.equal(loaded[name], average[name]) for name in average)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_files_are_loaded_as_float32(
    small: Any, small_checkpoint: Write, dtype: torch.dtype
) -> None:
    directory = small_checkpoint(dtype=dtype)
    stored = load_file(directory / "model.safetensors")
    loaded = load_checkpoint(directory).model.state_dict()
    assert {tensor.dtype for tensor in stored.values()} == {dtype}
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}
    expected = small.model(small.config()).state_dict()
    assert all(torch.equal(loaded[name], expected[name].to(dtype).float()) for name in expected)
    full = load_policy(small_checkpoint("full")).infer([small.observation()] * 2)
    half = load_policy(directory).infer([small.observation()] * 2)
    assert np.abs(full - half).max() < 0.1


@pytest.mark.parametrize("separate", [False, True])
def test_tower_names_of_later_transformers_are_accepted(
    small: Any, small_checkpoint: Write, separate: bool
) -> None:
    directory = small_checkpoint(use_separate_rgb_encoder_per_camera=separate)
    before = load_policy(directory).infer([small.observation()] * 2)
    rewrite_names(directory, (".vision_model.", "."), (".text_model.", "."))
    assert np.array_equal(load_policy(directory).infer([small.observation()] * 2), before)


def test_transformers_builds_the_towers_from_the_checkpoints_encoder_folder(small_checkpoint: Write) -> None:
    """LeRobot does this before it overwrites the towers' weights."""
    directory = small_checkpoint()
    stored = load_file(directory / "model.safetensors")
    for kind, prefix in (
        (CLIPVisionModel, "observation_encoder.vision_encoder.model."),
        (CLIPTextModel, "observation_encoder.text_encoder.text_encoder."),
    ):
        built = kind.from_pretrained(directory / "clip")
        ours = {
            name.split("_model.", 2)[-1]: t.shape for name, t in stored.items() if name.startswith(prefix)
        }
        theirs = {
            name: t.shape for name, t in built.state_dict().items() if not name.endswith("position_ids")
        }
        assert {name.split("_model.")[-1]: shape for name, shape in theirs.items()} == {
            name.split("_model.")[-1]: shape for name, shape in ours.items()
        }
        assert built.config.num_attention_heads == 2


def test_towers_of_other_encoders_are_described_in_the_sidecar(small: Any, small_checkpoint: Write) -> None:
    directory = small_checkpoint(
        vision_encoder_name="laion/CLIP-ViT-B-32", text_encoder_name="laion/CLIP-ViT-B-32"
    )
    towers = json.loads((directory / "lbm_policy.json").read_text())["towers"]
    assert towers["vision"]["num_attention_heads"] == 2
    assert load_policy(directory).infer([small.observation()] * 2).shape == (1, 7, 3)


def test_openai_towers_are_read_from_the_weights(small: Any, small_checkpoint: Write) -> None:
    directory = small_checkpoint(
        vision_encoder_name="openai/clip-vit-base-patch16", text_encoder_name="openai/clip-vit-base-patch16"
    )
    (directory / "lbm_policy.json").unlink()
    model = load_checkpoint(directory).model
    assert (model.vision_config.patch_size, model.vision_config.image_size) == (8, 24)
    assert (model.text_config.vocab_size, model.text_config.max_position_embeddings) == (530, 16)
    assert model.vision_config.num_attention_heads == 1, "heads of size 64, at least one"


def test_per_timestep_statistics_are_marked_so_that_lerobot_refuses(small: Any, tmp_path: Path) -> None:
    config = small.config(lbm_extensions=Extensions(per_timestep_action_stats=True))
    stats = small.stats(config)
    rows = np.arange(8.0)[:, None]
    stats["action"] = {"min": rows - np.ones(3), "max": rows + np.ones(3)}
    directory = create_checkpoint(
        tmp_path / "steps", small.model(config), stats=stats, tokenizer=small.tokenizer()
    )
    data = json.loads((directory / "config.json").read_text())
    assert data["lbm_extensions"]["per_timestep_action_stats"] is True
    policy = MultiTaskDiTPolicy(load_checkpoint(directory))
    zeros = policy.decode(torch.zeros(1, 8, 3), [small.observation()] * 2)
    assert np.allclose(zeros[0], np.arange(1.0, 8.0)[:, None], atol=1e-6), "each row around its own mean"


@pytest.mark.parametrize(("reference", "origin"), [("newest", 0.5), ("oldest", 0.1)])
def test_relative_positions_are_added_to_the_observed_pose(
    small: Any, small_checkpoint: Write, reference: str, origin: float
) -> None:
    pose = RelativePose(0, "position", 1, "position", reference)
    policy = load_policy(small_checkpoint(lbm_extensions=Extensions(relative_poses=(pose,))))
    absolute = load_policy(small_checkpoint("absolute"))
    history = [small.observation(state=np.full(4, value, np.float32)) for value in (0.1, 0.5)]
    difference = policy.infer(history, seed=1) - absolute.infer(history, seed=1)
    assert np.allclose(difference, origin, atol=1e-6)


def test_extensions_survive_the_configuration_file(small: Any) -> None:
    pose = RelativePose(0, "position", 0, "position")
    config = small.config(lbm_extensions=Extensions(True, (pose,)))
    assert MultiTaskDiTConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert "lbm_extensions" not in small.config().to_dict()
