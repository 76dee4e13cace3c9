# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints on disk: what is written is read again, and nothing else is."""

import json
import logging
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lbm_policy_node.core.spec.compatibility import spec_differences
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.action_statistics import read_action_std
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.pi0.checkpoint import load_checkpoint, save_checkpoint
from lbm_policy_node.policies.pi0.policy import Pi0Policy

Write = Callable[..., Path]
BOTH = pytest.mark.parametrize("kind", ["pi0", "pi05"])
BODY = "paligemma_with_expert.paligemma."
EMBEDDING = f"model.{BODY}model.language_model.embed_tokens.weight"
HEAD = f"model.{BODY}lm_head.weight"


def edit_weights(directory: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Rewrite model.safetensors."""
    tensors = load_file(directory / "model.safetensors")
    tensors = {name: value.clone() for name, value in tensors.items()}
    changed = change(tensors)
    save_file(tensors if changed is None else changed, directory / "model.safetensors")


def edit_json(file: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def refusal(directory: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_policy(directory)
    return caught.value


def answer(directory: Path, small: Any, **options: Any) -> np.ndarray:
    return load_policy(directory, **options).infer([small.observation()], n_samples=2, seed=3)


@BOTH
def test_saved_and_reloaded_model_answers_the_same(
    checkpoint: Write, small: Any, tmp_path: Path, kind: str
) -> None:
    directory = checkpoint(kind)
    again = save_checkpoint(tmp_path / "again", load_checkpoint(directory))
    assert (again / "model.safetensors").read_bytes() == (directory / "model.safetensors").read_bytes()
    for name in ("config.json", "policy_preprocessor.json", "policy_postprocessor.json"):
        assert json.loads((again / name).read_text()) == json.loads((directory / name).read_text()), name
    first, second = answer(directory, small), answer(again, small)
    np.testing.assert_array_equal(first, second)
    assert first.shape == (2, 6, 4) and np.ptp(first) > 0.1


@BOTH
def test_written_weights_have_every_name_of_the_reference(
    checkpoint: Write, golden_pi0: Path, kind: str
) -> None:
    names = {name for name in load_file(checkpoint(kind) / "model.safetensors") if ".layers.1." not in name}
    golden = {name for name in json.loads((golden_pi0 / "keys.json").read_text()) if ".layers.1." not in name}
    if kind == "pi0":
        assert names == golden
        return
    time = {f"model.time_mlp_{side}.{part}" for side in ("in", "out") for part in ("weight", "bias")}
    norms = {name for name in golden if "gemma_expert.model." in name and "norm" in name}
    dense = {name.replace(".weight", f".dense.{part}") for name in norms for part in ("weight", "bias")}
    gone = {name for name in golden if "state_proj" in name or "action_time_mlp" in name}
    assert names == (golden - norms - gone) | time | dense


@BOTH
def test_names_without_the_prefix_load_as_openpi_writes_them(
    checkpoint: Write, small: Any, kind: str
) -> None:
    directory = checkpoint(kind)
    expected = answer(directory, small)
    time = {"time_mlp_in", "time_mlp_out"} if kind == "pi0" else {"action_time_mlp_in", "action_time_mlp_out"}

    def rename(tensors: dict[str, Any]) -> dict[str, Any]:
        plain = {name.removeprefix("model."): value for name, value in tensors.items()}
        swap = {("action_" + name if kind == "pi0" else name.removeprefix("action_")): name for name in time}
        return {
            ".".join([swap.get(n.split(".")[0], n.split(".")[0]), *n.split(".")[1:]]): v
            for n, v in plain.items()
        }

    edit_weights(directory, rename)
    assert any(name.split(".")[0] in time for name in load_file(directory / "model.safetensors"))
    np.testing.assert_array_equal(answer(directory, small), expected)


def test_missing_embedding_is_taken_from_the_language_head(checkpoint: Write, small: Any) -> None:
    directory = checkpoint()
    expected = answer(directory, small)
    edit_weights(
        directory, lambda tensors: {name: value for name, value in tensors.items() if name != EMBEDDING}
    )
    np.testing.assert_array_equal(answer(directory, small), expected)


def test_stored_embedding_wins_over_the_language_head(checkpoint: Write, small: Any) -> None:
    directory = checkpoint()
    expected = answer(directory, small)
    edit_weights(directory, lambda tensors: {**tensors, HEAD: torch.full_like(tensors[HEAD], 7.0)})
    np.testing.assert_array_equal(answer(directory, small), expected)


def test_language_heads_are_not_loaded(checkpoint: Write) -> None:
    model = load_checkpoint(checkpoint()).model
    assert not [name for name in model.state_dict() if "lm_head" in name]


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "nan"])
def test_damaged_weights_are_refused_by_name_and_never_random(checkpoint: Write, change: str) -> None:
    directory, name = checkpoint(), "model.action_in_proj.weight"

    def damage(tensors: dict[str, Any]) -> None:
        if change == "missing":
            del tensors[name]
        elif change == "extra":
            tensors["model.action_in_proj.scale"] = torch.ones(3)
        elif change == "shape":
            tensors[name] = torch.ones(3, 3)
        else:
            tensors[name][0, 0] = float("nan")

    edit_weights(directory, damage)
    error = refusal(directory)
    assert "action_in_proj" in error.field
    words = {"missing": "1 missing", "extra": "1 unexpected", "shape": "1 wrongly shaped", "nan": "undefined"}
    assert words[change] in error.expectation


@pytest.mark.parametrize("cut", [4, 400, -100])
def test_truncated_weights_are_refused(checkpoint: Write, cut: int) -> None:
    file = checkpoint() / "model.safetensors"
    file.write_bytes(file.read_bytes()[:cut])
    assert "trunc" in refusal(file.parent).expectation


def test_header_that_is_no_json_is_refused(checkpoint: Write) -> None:
    file = checkpoint() / "model.safetensors"
    file.write_bytes(struct.pack("<Q", 8) + b"[1, 2, 3" + bytes(100))
    assert "damaged header" in refusal(file.parent).expectation


def test_weights_of_another_family_are_refused(checkpoint: Write) -> None:
    directory = checkpoint()
    save_file({"noise_predictor.input_proj.weight": torch.ones(2, 2)}, directory / "model.safetensors")
    assert "no pi0" in refusal(directory).expectation


def test_pi05_weights_under_a_pi0_configuration_are_refused(checkpoint: Write) -> None:
    directory, other = checkpoint("pi0"), checkpoint("pi05", "other")
    (directory / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    error = refusal(directory)
    assert "missing" in error.expectation and "action_time_mlp_in" in error.field


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("type", "smolvla", "type"),
        ("image_resolution", [42, 42], "image_resolution"),
        ("max_action_dim", 8, "action_in_proj"),
        ("max_action_dim", 3, "action"),
        ("dtype", "float16", "dtype"),
        ("n_action_steps", 99, "n_action_steps"),
        ("use_visual_memory", True, "use_visual_memory"),
        ("surprise", 1, "surprise"),
    ],
)
def test_configuration_of_another_size_or_kind_is_refused(
    checkpoint: Write, field: str, value: Any, named: str
) -> None:
    directory = checkpoint()
    edit_json(directory / "config.json", lambda data: data.update({field: value}))
    assert named in refusal(directory).field


def test_unknown_number_of_vision_heads_is_refused_with_the_way_out(checkpoint: Write) -> None:
    directory = checkpoint()
    (directory / "lbm_policy.json").unlink()
    assert "num_attention_heads" in refusal(directory).expectation


@pytest.mark.parametrize("missing", ["policy_preprocessor.json", "policy_postprocessor.json"])
def test_missing_processors_are_refused(checkpoint: Write, missing: str) -> None:
    directory = checkpoint()
    (directory / missing).unlink()
    assert missing in refusal(directory).file


def test_prompt_step_of_the_other_model_is_refused(checkpoint: Write) -> None:
    directory, other = checkpoint("pi0"), checkpoint("pi05", "other")
    for file in other.glob("policy_preprocessor*"):
        (directory / file.name).write_bytes(file.read_bytes())
    assert refusal(directory).field == "pi0_new_line_processor"


def test_missing_tokenizer_is_refused_and_a_given_one_is_used(
    checkpoint: Write, small: Any, tmp_path: Path
) -> None:
    directory = checkpoint()
    expected = answer(directory, small)
    (directory / "tokenizer").rename(tmp_path / "words")
    assert "holds no tokenizer" in refusal(directory).expectation
    np.testing.assert_array_equal(answer(directory, small, tokenizer=tmp_path / "words"), expected)


def test_sentencepiece_model_is_refused_with_the_way_out(checkpoint: Write, tmp_path: Path) -> None:
    (tmp_path / "paligemma_tokenizer.model").write_bytes(b"\x0a\x0e")
    with pytest.raises(CheckpointError, match=r"expected the tokenizer\.json"):
        load_policy(checkpoint(), tokenizer=tmp_path / "paligemma_tokenizer.model")


def test_tokenizer_with_too_many_tokens_is_refused(checkpoint: Write, tmp_path: Path) -> None:
    from lbm_policy_node.policies.pi0.vocabulary import save_tokenizer, train_prompt_tokenizer

    words = [f"{a}{b}{c}" for a in "klmno" for b in "aeiou" for c in "pqrst"]
    save_tokenizer(train_prompt_tokenizer(words, 400), tmp_path / "words")
    with pytest.raises(CheckpointError, match="the language model knows 300"):
        load_policy(checkpoint(), tokenizer=tmp_path / "words")


@BOTH
def test_long_prompt_is_cut_with_a_warning(
    checkpoint: Write, small: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    policy = load_policy(checkpoint(kind))
    with caplog.at_level(logging.WARNING):
        policy.infer([small.observation(instruction="open the door")])
        assert not caplog.records
        first = policy.infer([small.observation(instruction="open the door and then " * 20)])
    assert "cut to" in caplog.text
    second = policy.infer([small.observation(instruction="open the door and then " * 30)])
    np.testing.assert_array_equal(first, second)


def test_robot_with_fewer_cameras_is_refused_until_a_user_masks_the_camera(
    checkpoint: Write, small: Any
) -> None:
    directory = checkpoint()
    seen = small.observation()
    fewer = small.observation(images={small.front: seen.images[small.front]})
    with pytest.raises(ValueError, match=r"lacks 'observation\.images\.wrist'"):
        load_policy(directory).infer([fewer])
    edit_json(directory / "lbm_policy.json", lambda data: data.update(absent_cameras=[small.wrist]))
    policy = load_policy(directory)
    assert [image.key for image in policy.spec.images] == [small.front]
    assert np.isfinite(policy.infer([fewer])).all()
    assert "wrist" in policy.describe()["masked cameras"]


@pytest.mark.parametrize(
    "absent", [["observation.images.none"], ["observation.images.front", "observation.images.wrist"]]
)
def test_only_known_cameras_and_not_all_can_be_absent(checkpoint: Write, absent: list[str]) -> None:
    directory = checkpoint()
    edit_json(directory / "lbm_policy.json", lambda data: data.update(absent_cameras=absent))
    assert refusal(directory).field == "absent_cameras"


def test_empty_cameras_are_not_asked_of_the_robot(checkpoint: Write, small: Any) -> None:
    directory = checkpoint()
    expected = answer(directory, small)
    empty = {"type": "VISUAL", "shape": [3, 28, 28]}
    edit_json(
        directory / "config.json",
        lambda data: data["input_features"].update({"observation.images.empty_camera_0": empty}),
    )
    assert len(load_policy(directory).spec.images) == 2
    np.testing.assert_array_equal(answer(directory, small), expected)


def test_action_space_wider_than_the_robots_is_named(checkpoint: Write, small: Any) -> None:
    robot = RobotSpec.load(shared_path("config/robots/metaworld.yaml"))
    spec = load_policy(checkpoint("pi0")).spec
    assert not [line for line in spec_differences(robot, spec) if line.startswith("the action")]
    wide = replace(spec, action_dim=7)
    line = next(line for line in spec_differences(robot, wide) if line.startswith("the action"))
    assert "4 values on the robot" in line and "the policy has 7" in line


def test_bfloat16_is_close_and_keeps_norms_and_vision_in_float32(checkpoint: Write, small: Any) -> None:
    directory = checkpoint()
    model = load_checkpoint(directory, half=True).model
    types = {name: parameter.dtype for name, parameter in model.named_parameters()}
    half = {name for name, dtype in types.items() if dtype == torch.bfloat16}
    assert half and all("norm" not in name and "vision" not in name for name in half)
    assert all(dtype in (torch.bfloat16, torch.float32) for dtype in types.values())
    exact, rough = answer(directory, small), answer(directory, small, half=True)
    assert 0 < np.abs(exact - rough).max() < 0.05 * np.ptp(exact)


def test_bfloat16_checkpoint_is_written_in_bfloat16(checkpoint: Write, small: Any, tmp_path: Path) -> None:
    directory = checkpoint(dtype="bfloat16")
    assert load_file(directory / "model.safetensors")[EMBEDDING].dtype == torch.bfloat16
    again = save_checkpoint(tmp_path / "again", load_checkpoint(directory))
    np.testing.assert_array_equal(answer(directory, small), answer(again, small))


@BOTH
def test_relative_actions_come_back_absolute(checkpoint: Write, small: Any, kind: str) -> None:
    names = ("a", "b", "c", "gripper")
    plain = load_policy(checkpoint(kind, action_feature_names=names))
    moving = load_policy(checkpoint(kind, "moving", use_relative_actions=True, action_feature_names=names))
    seen = small.observation()
    difference = moving.infer([seen]) - plain.infer([seen])
    np.testing.assert_allclose(difference, np.broadcast_to([*seen.state[:3], 0.0], (1, 6, 4)), atol=1e-6)
    assert moving.describe()["relative actions"] == "columns [0, 1, 2]"
    assert moving.spec.action_names == names


def test_processors_that_disagree_about_relative_actions_are_refused(checkpoint: Write) -> None:
    directory = checkpoint()
    file = directory / "policy_postprocessor.json"
    edit_json(file, lambda data: data["steps"][1]["config"].update(enabled=True))
    assert refusal(directory).field == "absolute_actions_processor.enabled"


@BOTH
def test_raw_observation_to_action_by_hand(checkpoint: Write, small: Any, kind: str) -> None:
    """The whole path, with the normalisation formulas written out."""
    policy = load_policy(checkpoint(kind))
    assert isinstance(policy, Pi0Policy)
    seen, stats = small.observation(), small.stats()
    batch = policy.preprocess([seen])
    mean, std, low, high = (stats["observation.state"][name] for name in ("mean", "std", "q01", "q99"))
    state = (seen.state - mean) / (std + 1e-8) if kind == "pi0" else 2 * (seen.state - low) / (high - low) - 1
    np.testing.assert_allclose(batch["observation.state"][0].numpy(), state, rtol=1e-5)
    pixels = seen.images[small.front].astype(np.float32).transpose(2, 0, 1) / 255
    np.testing.assert_array_equal(batch[small.front][0].numpy(), pixels)
    normalized = policy.sample(policy.encode([seen]), small.noise(1)).numpy()
    mean, std, low, high = (stats["action"][name] for name in ("mean", "std", "q01", "q99"))
    expected = normalized * std + mean if kind == "pi0" else (normalized + 1) / 2 * (high - low) + low
    np.testing.assert_allclose(policy.decode(torch.from_numpy(normalized), [seen]), expected, rtol=1e-5)


@BOTH
def test_spread_of_the_actions_is_read_without_the_weights(checkpoint: Write, small: Any, kind: str) -> None:
    directory = checkpoint(kind)
    (directory / "model.safetensors").unlink()
    np.testing.assert_allclose(read_action_std(directory), small.stats()["action"]["std"], rtol=1e-6)


def test_samples_differ_and_seeds_repeat(checkpoint: Write, small: Any) -> None:
    policy = load_policy(checkpoint(sidecar=Sidecar(step_s=0.1)))
    one, four = (policy.infer([small.observation()], n_samples=count, seed=7) for count in (1, 4))
    np.testing.assert_allclose(four[:1], one, atol=1e-6)
    assert np.abs(four[0] - four[1]).max() > 0.1
    with pytest.raises(ValueError, match="accepts no prefix"):
        policy.infer([small.observation()], prefix=one[0])
