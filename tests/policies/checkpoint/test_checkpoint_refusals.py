# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Bad checkpoints are refused with the file and the name of what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy

Write = Callable[..., Path]
OUTPUT = "noise_predictor.output_proj.weight"
STATE_FILE = "policy_preprocessor_step_4_normalizer_processor.safetensors"


def edit_json(file: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def edit_tensors(file: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)


def refusal(directory: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as error:
        load_policy(directory)
    return error.value


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.999])
def test_truncated_weights(small_checkpoint: Write, kept: float) -> None:
    file = small_checkpoint() / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    error = refusal(file.parent)
    assert error.file.endswith("model.safetensors")
    assert "truncated or damaged" in error.expectation


@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json", STATE_FILE],
)
def test_missing_file(small_checkpoint: Write, name: str) -> None:
    directory = small_checkpoint()
    (directory / name).unlink()
    error = refusal(directory)
    assert error.file.endswith(name)
    assert "missing" in error.expectation


def test_missing_directory(tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path / "nowhere").expectation


def test_config_that_is_not_json(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    (directory / "config.json").write_text('{"type": "multi_task')
    assert "not valid JSON" in refusal(directory).expectation


def test_absent_camera(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    cameras = ["observation.images.front"]
    edit_json(directory / "lbm_policy.json", lambda data: data.update(absent_cameras=cameras))
    assert refusal(directory).field == "absent_cameras"


@pytest.mark.parametrize("kind", ["diffusion", "smolvla", None, ["pi0"]])
def test_other_policy_type(small_checkpoint: Write, kind: str | list[str] | None) -> None:
    directory = small_checkpoint()
    edit_json(directory / "config.json", lambda data: data.update(type=kind))
    error = refusal(directory)
    assert error.field == "type"
    assert repr(kind) in error.expectation


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flux_capacitor", 1),
        ("objective", "consistency"),
        ("beta_schedule", "sigmoid"),
        ("prediction_type", "v_prediction"),
        ("integration_method", "heun"),
        ("noise_scheduler_type", "PNDM"),
        ("tokenizer_padding_side", "left"),
        ("use_peft", True),
        ("num_heads", 5),
        ("horizon", 0),
        ("horizon", "8"),
        ("use_rope", "yes"),
        ("dropout", 1.5),
        ("num_inference_steps", 21),
        ("n_action_steps", 8),
        ("timestep_embed_dim", 15),
        ("image_resize_shape", [24]),
        ("lbm_extensions", {"warp": 9}),
    ],
)
def test_unknown_field_or_impossible_value(small_checkpoint: Write, field: str, value: Any) -> None:
    directory = small_checkpoint()
    edit_json(directory / "config.json", lambda data: data.update({field: value}))
    error = refusal(directory)
    assert error.file.endswith("config.json")
    assert field in error.field


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda data: data["input_features"].pop("observation.state"), "observation.state"),
        (lambda data: data["output_features"].pop("action"), "action"),
        (
            lambda data: data["output_features"].update(torque={"type": "ACTION", "shape": [1]}),
            "output_features",
        ),
        (lambda data: data["input_features"].update(x={"type": "ENV", "shape": [3]}), "input_features.x"),
        (lambda data: data["input_features"].update(x={"type": "DEPTH", "shape": [3]}), "input_features.x"),
        (
            lambda data: data["input_features"].update(x={"type": "VISUAL", "shape": [3, 8, 8]}),
            "input_features",
        ),
        (lambda data: data["input_features"].update(x={"type": "VISUAL"}), "input_features.x"),
        (lambda data: data.pop("input_features"), "input_features"),
        (lambda data: data["normalization_mapping"].update(STATE="ZSCORE"), "normalization_mapping.STATE"),
    ],
)
def test_missing_or_unsupported_features(
    small_checkpoint: Write, change: Callable[[dict[str, Any]], Any], named: str
) -> None:
    directory = small_checkpoint()
    edit_json(directory / "config.json", change)
    assert named in refusal(directory).field


def test_feature_that_the_processors_lack(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    file = directory / "policy_preprocessor.json"
    edit_json(file, lambda data: data["steps"][4]["config"]["features"].pop("observation.images.front"))
    assert refusal(directory).field == "observation.images.front"


def test_feature_of_another_shape_in_the_processors(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    edit_json(
        directory / "config.json",
        lambda data: data["input_features"]["observation.images.front"].update(shape=[3, 48, 48]),
    )
    assert refusal(directory).field == "observation.images.front"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda tensors: tensors.pop(OUTPUT), "missing"),
        (lambda tensors: tensors.update({"noise_predictor.bonus": torch.zeros(2)}), "unexpected"),
        (lambda tensors: tensors.update({OUTPUT: torch.zeros(4, 32)}), "wrongly shaped"),
        (lambda tensors: tensors.update({OUTPUT: torch.zeros(3, 32, dtype=torch.int64)}), "floating-point"),
        (lambda tensors: tensors.update({OUTPUT: torch.full((3, 32), torch.nan)}), "undefined"),
    ],
)
def test_wrong_tensors_are_named(
    small_checkpoint: Write, change: Callable[[dict[str, torch.Tensor]], Any], what: str
) -> None:
    directory = small_checkpoint()
    edit_tensors(directory / "model.safetensors", change)
    error = refusal(directory)
    assert what in error.expectation
    assert ("bonus" if what == "unexpected" else OUTPUT) in error.field


def test_missing_statistics_are_named(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    edit_tensors(directory / STATE_FILE, lambda tensors: tensors.pop("observation.images.front.std"))
    assert refusal(directory).field == "observation.images.front.std"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda steps: steps.append({"registry_name": "delta_action_processor", "config": {}}),
            "delta_action",
        ),
        (lambda steps: steps.append({"registry_name": "device_processor", "config": {}}), "device_processor"),
        (lambda steps: steps.pop(2), "tokenizer_processor"),
        (lambda steps: steps.pop(4), "normalizer_processor"),
        (lambda steps: steps[2]["config"].update(lowercase=True), "lowercase"),
        (lambda steps: steps[2]["config"].update(padding_side="left"), "padding_side"),
        (lambda steps: steps[3]["config"].update(float_dtype="float16"), "float_dtype"),
        (lambda steps: steps[4]["config"].update(norm_map={"STATE": "ZSCORE"}), "norm_map.STATE"),
        (lambda steps: steps[0]["config"].update(rename_map={"a": "observation.images.b"}), "rename_map"),
        (lambda steps: steps[2]["config"].update(max_length=17), "max_length"),
    ],
)
def test_unknown_or_unsupported_processor_steps(
    small_checkpoint: Write, change: Callable[[list[dict[str, Any]]], Any], named: str
) -> None:
    directory = small_checkpoint()
    edit_json(directory / "policy_preprocessor.json", lambda data: change(data["steps"]))
    assert named in refusal(directory).field


def test_missing_tokenizer_says_which_option_to_give(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    (directory / "tokenizer" / "tokenizer.json").unlink()
    error = refusal(directory)
    assert "option `tokenizer`" in error.expectation


def test_damaged_tokenizer(small_checkpoint: Write) -> None:
    directory = small_checkpoint()
    (directory / "tokenizer" / "tokenizer.json").write_text('{"version": "1.0"}')
    assert "is not a tokenizer" in refusal(directory).expectation


def test_tokenizer_with_more_tokens_than_the_text_tower(small_checkpoint: Write, golden_folder: Path) -> None:
    directory = small_checkpoint()
    embedding = "observation_encoder.text_encoder.text_encoder.text_model.embeddings.token_embedding.weight"
    edit_json(directory / "clip" / "config.json", lambda data: data["text_config"].update(vocab_size=500))
    edit_tensors(
        directory / "model.safetensors",
        lambda tensors: tensors.update({embedding: tensors[embedding][:500].clone()}),
    )
    assert refusal(directory).field == "tokenizer"


def test_unknown_towers_must_be_described(small_checkpoint: Write) -> None:
    directory = small_checkpoint(vision_encoder_name="laion/CLIP-ViT-B-32")
    (directory / "lbm_policy.json").unlink()
    error = refusal(directory)
    assert error.field == "vision_encoder_name"
    assert "towers" in error.expectation


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"step_ms": 50}, "step_ms"),
        ({"step_s": -1}, "step_s"),
        ({"action_names": ["x", "y"]}, "action_names"),
        ({"state_names": [1, 2, 3, 4]}, "state_names"),
        ({"towers": []}, "towers"),
    ],
)
def test_wrong_sidecar(small_checkpoint: Write, content: dict[str, Any], named: str) -> None:
    directory = small_checkpoint()
    (directory / "lbm_policy.json").write_text(json.dumps(content))
    error = refusal(directory)
    assert error.file.endswith("lbm_policy.json")
    assert error.field == named


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"action_start": 1}, "relative_poses"),
        ({"state_start": 2}, "relative_poses"),
        ({"action_kind": "twist"}, "relative_poses[0]"),
        ({"state_kind": "pose_quaternion"}, "relative_poses[0]"),
        ({"reference": "middle"}, "relative_poses[0]"),
        ({"frame": "base"}, "relative_poses[0]"),
    ],
)
def test_impossible_relative_pose(small_checkpoint: Write, changes: dict[str, Any], named: str) -> None:
    directory = small_checkpoint()
    pose = {
        "action_start": 0,
        "action_kind": "position",
        "state_start": 0,
        "state_kind": "position",
        **changes,
    }
    extensions = {"per_timestep_action_stats": False, "relative_poses": [pose]}
    edit_json(directory / "config.json", lambda data: data.update(lbm_extensions=extensions))
    assert named in refusal(directory).field
