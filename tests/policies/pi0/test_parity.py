# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot's own numbers for a tiny random pi0 (tests/assets/golden/README.md)."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import Tensor

from lbm_policy_node.cli import verify
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.verification import TOLERANCES, load_for_verification, verify_pi0

STEMS = {"actions": "actions", "actions_5_steps": "actions, 5 steps", "rtc.weights.EXP": "chunking weights"}
STEMS |= {"rtc.actions.LINEAR": "chunking actions", "train.loss": "loss", "grad.action_in_proj": "gradients"}


@pytest.fixture
def model(golden_pi0: Path) -> Pi0:
    return load_for_verification(golden_pi0, "cpu")


def test_every_stage_is_within_tolerance(model: Pi0, golden_reference: Mapping[str, Tensor]) -> None:
    results = {result.stage: result for result in verify_pi0(model, golden_reference)}
    assert set(results) == set(TOLERANCES)
    for result in results.values():
        assert result.ok, result
        assert result.tolerance <= 1e-5


def test_verify_command_prints_every_stage(golden_pi0: Path) -> None:
    arguments = [str(golden_pi0), "--reference", str(golden_pi0 / "ref.safetensors")]
    result = CliRunner().invoke(verify.command, arguments)
    assert result.exit_code == 0, result.output
    assert all(stage in result.output for stage in TOLERANCES)
    assert result.output.count(" ok") == len(TOLERANCES)


@pytest.mark.parametrize(("tensor", "stage"), STEMS.items())
def test_changed_reference_fails_at_its_stage(
    golden_pi0: Path, golden_reference: Mapping[str, Tensor], tmp_path: Path, tensor: str, stage: str
) -> None:
    changed = {**golden_reference, tensor: golden_reference[tensor] + 1e-3}
    save_file(changed, tmp_path / "ref.safetensors")
    arguments = [str(golden_pi0), "--reference", str(tmp_path / "ref.safetensors"), "--json"]
    result = CliRunner().invoke(verify.command, arguments)
    assert result.exit_code == 1
    assert [row["stage"] for row in json.loads(result.output) if not row["ok"]] == [stage]


def test_embedding_is_the_stored_one_not_the_language_head(
    model: Pi0, golden_reference: Mapping[str, Tensor], golden_pi0: Path
) -> None:
    from safetensors.torch import load_file

    stored = load_file(golden_pi0 / "model.safetensors")
    head = stored["model.paligemma_with_expert.paligemma.lm_head.weight"]
    embedding = model.paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight
    assert (embedding - head).abs().max() > 0.1, "in this file they differ"
    with torch.no_grad():
        embedding.copy_(head)
    actions = next(result for result in verify_pi0(model, golden_reference) if result.stage == "actions")
    assert actions.difference > 0.5
