# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm train` trains a kind of policy of another installed package, without a change to ours."""

import numpy as np
import pytest
from click.testing import CliRunner, Result

from helpers.outside_policy import install_mean_policy, write_checkpoint
from lbm_policy_node.cli.main import main
from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.load import load_policy

QUICK = "--steps 200 --batch-size 16 --draws 1 --ema-decay 0 --learning-rate 0.1 --device cpu --horizon 3"


def train(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments), *QUICK.split()])


@pytest.mark.slow
def test_it_learns_and_is_loaded_again(dataset, monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_trained", "mean_policy")
    result = train(dataset.root, "--out", tmp_path / "run", "--policy", "mean_policy")
    assert result.exit_code == 0, result.output
    policy = load_policy(tmp_path / "run/checkpoints/000200")
    (chunk,) = policy.infer([Observation(0, {}, np.zeros(4), "")])
    assert chunk.shape == (3, 4)
    np.testing.assert_allclose(chunk[0], dataset.vectors["action"].mean(axis=0), atol=0.02)


def test_what_it_cannot_learn_and_what_it_cannot_start_from_is_named(dataset, monkeypatch, tmp_path):
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_refused", "mean_policy")
    run = tmp_path / "run"
    result = train(dataset.root, "--out", run, "--policy", "mean_policy", "--train", "expert")
    assert result.exit_code == 2 and "train must be all for a new mean_policy, is 'expert'" in result.output
    start = write_checkpoint(tmp_path / "start", "mean_policy")
    result = train(dataset.root, "--out", run, "--init", start)
    assert result.exit_code == 1
    assert "is 'mean_policy', which cannot be fine-tuned; pi0, pi05 can be used" in result.output
    assert not run.exists(), "a refused run must not claim its folder"


def test_a_broken_trainer_is_one_line(dataset, monkeypatch, tmp_path):
    broken = {"training": "import no_such_library"}
    install_mean_policy(monkeypatch, tmp_path / "site", "outside_untrained", "mean_policy", **broken)
    result = train(dataset.root, "--out", tmp_path / "run", "--policy", "mean_policy")
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert "outside_untrained.training:MeanSubject cannot be imported" in line and "no_such_library" in line
