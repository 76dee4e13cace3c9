# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands `lbm info` and `lbm verify`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import CliRunner, Result
from safetensors.torch import load_file, save_file

from lbm_policy_node.cli import info, verify
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.checkpoint.features import Feature
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar
from lbm_policy_node.policies.weightless import WeightlessConfig, create_weightless

STAGES = {
    "network", "preprocess", "tokens", "conditioning", "sample", "normalized actions", "actions", "loss",
    "gradients",
}  # fmt: skip


def run_verify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(verify.command, [str(argument) for argument in arguments])


def run_info(*arguments: str | Path) -> Result:
    return CliRunner().invoke(info.command, [str(argument) for argument in arguments])


def test_golden_checkpoint_passes_every_stage(golden: Any) -> None:
    result = run_verify(golden.directory, "--reference", golden.directory / "ref.safetensors", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.output)
    assert {row["stage"] for row in rows} == STAGES
    assert all(row["ok"] and row["difference"] <= row["tolerance"] <= 1e-4 for row in rows)


@pytest.mark.parametrize(
    ("tensor", "stage"),
    [
        ("net.out", "network"),
        ("pre.1.observation.state", "preprocess"),
        ("pre.0.observation.language.tokens", "tokens"),
        ("chunk.1.cond", "conditioning"),
        ("chunk.2.sample", "sample"),
        ("action.normalized", "normalized actions"),
        ("action", "actions"),
        ("train.loss", "loss"),
        ("grad.noise_predictor.input_proj.weight", "gradients"),
    ],
)
def test_changed_reference_fails_at_its_stage(
    golden_folder: Path, tmp_path: Path, tensor: str, stage: str
) -> None:
    source = golden_folder / "flow_euler"
    reference = load_file(source / "ref.safetensors")
    reference[tensor] = reference[tensor] + (1 if reference[tensor].dtype == torch.int64 else 1e-2)
    save_file(reference, tmp_path / "ref.safetensors")
    result = run_verify(
        source,
        "--reference",
        tmp_path / "ref.safetensors",
        "--instruction",
        "put the red cup on the shelf",
        "--json",
    )
    assert result.exit_code == 1
    failed = {row["stage"] for row in json.loads(result.output) if not row["ok"]}
    assert stage in failed
    assert failed <= {stage, "sample", "normalized actions", "actions"}


def test_difference_is_printed_in_words(golden_folder: Path, tmp_path: Path) -> None:
    reference = load_file(golden_folder / "ddpm" / "ref.safetensors")
    reference["net.out"] = reference["net.out"] + 0.5
    save_file(
        {name: t for name, t in reference.items() if name.startswith("net.")}, tmp_path / "ref.safetensors"
    )
    result = run_verify(golden_folder / "ddpm", "--reference", tmp_path / "ref.safetensors")
    assert result.exit_code == 1
    assert result.output.split() == ["network", "5.00e-01", "tolerance", "1e-05", "DIFFERS"]


@pytest.mark.parametrize("content", [None, b"short", "empty", "partial", "misfit"])
def test_unusable_reference_is_refused_by_name(
    golden_folder: Path, tmp_path: Path, content: bytes | str | None
) -> None:
    file = tmp_path / "ref.safetensors"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        tensors = {"empty": {"x": torch.zeros(1)}, "partial": {"net.x": torch.zeros(2, 16, 5)}}
        misfit = {"net.x": torch.zeros(2, 16, 9), "net.t": torch.zeros(2), "net.cond": torch.zeros(2, 398)}
        save_file(tensors.get(str(content), misfit), file)
    result = run_verify(golden_folder / "ddpm", "--reference", file)
    assert result.exit_code == 1
    assert result.output.startswith("Error:") and "ref.safetensors" in result.output


def test_verify_names_what_is_wrong_with_a_checkpoint(golden_folder: Path, tmp_path: Path) -> None:
    result = run_verify(tmp_path, "--reference", golden_folder / "ddpm" / "ref.safetensors")
    assert result.exit_code == 1
    assert "config.json" in result.output


def test_info_describes_a_checkpoint(small_checkpoint: Callable[..., Path]) -> None:
    result = run_info(small_checkpoint())
    assert result.exit_code == 0, result.output
    for words in (
        "multi_task_dit",
        "24x24 RGB",
        "4 values, unnamed",
        "3 values: x, y, z",
        "7 rows, 4 executed, step 0.05 s",
        "flow matching, euler, 5 steps",
        "MIN_MAX",
        "MEAN_STD",
        "530 tokens",
        "in total",
    ):
        assert words in result.output, words


def test_info_names_what_is_wrong_with_a_checkpoint(tmp_path: Path) -> None:
    result = run_info(tmp_path)
    assert result.exit_code == 1
    assert "config.json" in result.output


def test_info_says_that_a_checkpoint_fits_a_robot(tmp_path: Path) -> None:
    image = Feature("VISUAL", (3, 128, 128))
    config = WeightlessConfig(
        input_features={"observation.state": Feature("STATE", (4,)), "observation.images.front": image},
        output_features={"action": Feature("ACTION", (4,))},
        hold_state_indices=(0, 1, 2, 3),
    )
    sidecar = Sidecar(step_s=0.05, action_names=("x", "y", "z", "gripper"))
    result = run_info(create_weightless(tmp_path / "p", config, sidecar), "--robot", "metaworld")
    assert result.exit_code == 0, result.output
    assert "fits the robot metaworld_sawyer" in result.output


def test_info_lists_the_differences_to_a_robot(small_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    robot = shared_path("config/robots/metaworld.yaml")
    result = run_info(small_checkpoint(), "--robot", robot)
    assert result.exit_code == 1
    assert "does not fit the robot metaworld_sawyer" in result.output
    assert result.output.count("\n- ") == 2, "image size and action width differ"
    spec = yaml.safe_load(robot.read_text())
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump({**spec, "wheels": 4}))
    refused = run_info(small_checkpoint("again"), "--robot", tmp_path / "bad.yaml")
    assert refused.exit_code == 1 and "wheels" in refused.output
