# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""openpi's folders become LeRobot's: same weights, same numbers, and what they do not say is asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.torch import load_file, save_file

from lbm_policy_node.cli import import_openpi
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.pi0.policy import Pi0Policy

BOTH = pytest.mark.parametrize("kind", ["pi0", "pi05"])
HEAD = "paligemma_with_expert.paligemma.lm_head.weight"
EMBEDDING = "paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight"


@pytest.fixture
def openpi(checkpoint: Callable[..., Path], small: Any, tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder as openpi's converter does: no "model.", the tied embedding under the head's name."""

    def write(kind: str) -> Path:
        width = {"max_state_dim": 32, "max_action_dim": 32}
        tensors = load_file(checkpoint(kind, **width) / "model.safetensors")
        folder = tmp_path / "openpi"
        (folder / "assets" / "robot").mkdir(parents=True)
        plain = {name.removeprefix("model."): value for name, value in tensors.items()}
        del plain[EMBEDDING]
        save_file(plain, folder / "model.safetensors")
        settings = {
            "action_dim": 32,
            "action_horizon": 6,
            "paligemma_variant": "gemma_2b",
            "precision": "float32",
        }
        (folder / "config.json").write_text(json.dumps(settings))
        stats = small.stats()
        entry = {name: list(map(float, value)) for name, value in stats["observation.state"].items()}
        padded = {name: [*map(float, value), 0.0, 0.0] for name, value in stats["action"].items()}
        values = {"norm_stats": {"state": entry, "actions": padded}}
        (folder / "assets" / "robot" / "norm_stats.json").write_text(json.dumps(values))
        return folder

    return write


def run(source: Path, out: Path, *more: str) -> Result:
    flags = ["--camera", "observation.images.front=20x32", "--camera", "observation.images.wrist=20x32"]
    return CliRunner().invoke(import_openpi.command, [str(source), str(out), *flags, *more])


@BOTH
def test_imported_checkpoint_gives_openpis_numbers(
    openpi: Callable[..., Path], checkpoint: Callable[..., Path], small: Any, tmp_path: Path, kind: str
) -> None:
    source, out = openpi(kind), tmp_path / "out"
    words = str(tmp_path / "checkpoint" / "tokenizer")
    more = ("--action-dim", "4", "--tokenizer", words, "--vision-heads", "4")
    result = run(source, out, *more, "--action-names", "a,b,c,gripper")
    assert result.exit_code == 0, result.output
    assert (out / "model.safetensors").stat().st_ino == (source / "model.safetensors").stat().st_ino
    policy = load_policy(out)
    assert isinstance(policy, Pi0Policy)
    assert (policy.spec.kind, policy.spec.horizon, policy.spec.action_dim) == (kind, 6, 4)
    # away from the edges of the prompt's bins, where an eps of 1e-6 decides
    seen = small.observation(state=np.linspace(-0.43, 0.97, 5, dtype=np.float32))
    stats = small.stats()
    mean, std, low, high = (stats["observation.state"][name] for name in ("mean", "std", "q01", "q99"))
    state = (seen.state - mean) / (std + 1e-6)
    if kind == "pi05":
        state = (seen.state - low) / (high - low + 1e-6) * 2.0 - 1.0
    found = policy.preprocess([seen])["observation.state"][0].numpy()
    np.testing.assert_allclose(found, state, rtol=1e-6, atol=1e-6)
    own = load_policy(
        checkpoint(
            kind, "own", max_state_dim=32, max_action_dim=32, num_inference_steps=10, tokenizer_max_length=200
        )
    )
    np.testing.assert_allclose(policy.infer([seen], seed=1), own.infer([seen], seed=1), atol=2e-3)


def test_raw_openpi_folder_is_refused_with_the_way_out(openpi: Callable[..., Path]) -> None:
    with pytest.raises(CheckpointError, match="lbm import-openpi"):
        load_policy(openpi("pi0"))


def test_relative_actions_of_openpi(openpi: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    more = ("--action-dim", "4", "--relative", "--action-names", "a,b,c,gripper", "--vision-heads", "4")
    assert run(openpi("pi0"), out, *more).exit_code == 0
    steps = json.loads((out / "policy_preprocessor.json").read_text())["steps"]
    config = next(s["config"] for s in steps if s["registry_name"] == "relative_actions_processor")
    assert config == {
        "enabled": True,
        "exclude_joints": ["gripper"],
        "action_names": ["a", "b", "c", "gripper"],
    }


@pytest.mark.parametrize("problem", ["horizon", "stats", "two assets", "narrow", "tensor", "camera"])
def test_what_is_missing_is_asked_for(openpi: Callable[..., Path], tmp_path: Path, problem: str) -> None:
    source, more = openpi("pi0"), ["--vision-heads", "4"]
    file = source / "assets" / "robot" / "norm_stats.json"
    if problem == "horizon":
        (source / "config.json").unlink()
    elif problem == "stats":
        file.unlink()
    elif problem == "two assets":
        (source / "assets" / "other").mkdir()
        (source / "assets" / "other" / "norm_stats.json").write_text(file.read_text())
    elif problem == "narrow":
        more += ["--action-dim", "9"]
    elif problem == "tensor":
        tensors = load_file(source / "model.safetensors")
        save_file({n: v for n, v in tensors.items() if n != "state_proj.bias"}, source / "model.safetensors")
    else:
        more += ["--camera", "front:20x32"]
    words = {"horizon": "action_horizon", "stats": "expected one", "two assets": "expected one"}
    words |= {"narrow": "expected 9 numbers", "tensor": "state_proj.bias", "camera": "KEY=HEIGHTxWIDTH"}
    result = run(source, tmp_path / "out", *more)
    assert result.exit_code != 0 and words[problem] in result.output, result.output
    assert not (tmp_path / "out" / "config.json").exists()
