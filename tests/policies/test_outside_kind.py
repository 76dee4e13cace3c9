# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A kind of policy of another installed package, through the commands, without a change to ours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from helpers.outside_policy import install_mean_policy, write_checkpoint
from lbm_policy_node.cli.main import main
from lbm_policy_node.core.types import Observation
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.action_statistics import read_action_std
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy

WEIGHTLESS = shared_path("checkpoints/weightless")
ONLY_LOADS = """
    from lbm_policy_node.policies.kind import PolicyKind
    from PACKAGE.policy import MeanPolicy
    POLICY_KIND = PolicyKind(load=MeanPolicy)
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_it_is_described_loaded_and_asked(monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_loaded", "mean_policy")
    folder = write_checkpoint(tmp_path / "checkpoint", "mean_policy")
    result = run("info", folder)
    assert result.exit_code == 0, result.output
    for words in ("mean_policy", "4 rows, 1 executed, step 0.05 s", "mean action", "[0.1, 0.2]"):
        assert words in result.output
    policy = load_policy(folder, threads=1)
    chunks = policy.infer([Observation(0, {}, np.zeros(3), "")], n_samples=2)
    np.testing.assert_array_equal(chunks, np.tile([0.1, 0.2], (2, 4, 1)))
    np.testing.assert_array_equal(read_action_std(folder), [0.5, 2.0])


@pytest.mark.parametrize(("mean", "exit_code"), [([0.1, 0.2], 0), ([0.1, 0.3], 1)])
def test_it_is_compared_with_a_reference(monkeypatch, tmp_path, mean, exit_code):
    install_mean_policy(monkeypatch, tmp_path / "site", f"outside_verified_{exit_code}", "mean_policy")
    folder = write_checkpoint(tmp_path / "checkpoint", "mean_policy")
    (tmp_path / "ref.json").write_text(json.dumps({"mean": mean}))
    result = run("verify", folder, "--reference", tmp_path / "ref.json", "--json")
    assert result.exit_code == exit_code, result.output
    assert [(row["stage"], row["ok"]) for row in json.loads(result.output)] == [("mean", not exit_code)]


def test_a_missing_ability_is_refused_with_the_kinds_that_have_it(monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_able", "mean_policy")
    result = run("verify", WEIGHTLESS, "--reference", tmp_path / "ref.safetensors")
    assert result.exit_code == 1
    able = "multi_task_dit, pi0, pi05, mean_policy"
    assert f"is 'weightless', which has no numbers to verify; {able} can be used" in result.output
    with pytest.raises(CheckpointError, match=f"which has no action statistics .*; {able} can be used"):
        read_action_std(WEIGHTLESS)


def test_a_kind_that_only_loads_is_refused_elsewhere(monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_plain", "plain", kind=ONLY_LOADS)
    folder = write_checkpoint(tmp_path / "checkpoint", "plain")
    result = run("verify", folder, "--reference", tmp_path / "ref.json")
    assert result.exit_code == 1 and "is 'plain', which has no numbers to verify" in result.output


def test_a_kind_with_the_name_of_ours_is_refused_and_ours_of_other_names_load(monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_thief_kind", "pi0")
    result = run("info", write_checkpoint(tmp_path / "checkpoint", "pi0"))
    assert result.exit_code == 1
    assert "outside_thief_kind.kind:POLICY_KIND" in result.output and "must choose another" in result.output
    assert load_policy(WEIGHTLESS).spec.kind == "weightless"


@pytest.mark.parametrize(
    ("package", "source", "why"),
    [
        ("outside_kind_raises", "import no_such_library", "No module named 'no_such_library'"),
        ("outside_kind_value", "POLICY_KIND = {'load': print}", "is a dict; expected a PolicyKind"),
    ],
)
def test_a_broken_kind_is_one_line_and_hurts_no_other(monkeypatch, tmp_path, package, source, why):
    install_mean_policy(monkeypatch, tmp_path / "site", package, "bad", kind=source)
    result = run("info", write_checkpoint(tmp_path / "checkpoint", "bad"))
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith("Error:") and package in line and why in line
    with pytest.raises(CheckpointError, match=r"no action statistics .*; multi_task_dit, pi0, pi05 can"):
        read_action_std(WEIGHTLESS)


def test_an_unknown_kind_is_refused_with_the_known_ones(monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_listed", "mean_policy")
    folder: Path = write_checkpoint(tmp_path / "checkpoint", "mean_polcy")
    with pytest.raises(CheckpointError, match=r"is 'mean_polcy', expected .*'weightless', 'mean_policy'"):
        load_policy(folder)
