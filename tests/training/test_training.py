# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A run from dataset to checkpoint: it learns, resumes to the bit, and refuses to mix settings."""

import itertools
import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.builders import make_observation
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.training.config import TrainConfig
from lbm_policy_node.training.loop import learning_rate, train
from lbm_policy_node.training.resume import ResumeError

QUICK = TrainConfig(steps=6, batch_size=8, draws=2, warmup_steps=2, checkpoint_every=3, log_every=1)


def weights(folder):
    return load_file(folder / "model.safetensors")


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_resumed_run_equals_an_uninterrupted_one(dataset, tiny, tmp_path):
    whole = train(dataset, tmp_path / "whole", QUICK, tiny, device="cpu")
    # an interruption after three steps: the same schedule, stopped by a shorter stream of batches
    train(dataset, tmp_path / "parts", QUICK, tiny, device="cpu", stop_after=3)
    parts = train(dataset, tmp_path / "parts", QUICK, tiny, device="cpu")
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(weights(parts)[name], value, err_msg=name)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


@pytest.mark.slow
def test_training_learns_the_datasets_rule(dataset, tiny, tmp_path):
    config = replace(QUICK, steps=150, batch_size=16, learning_rate=2e-3, checkpoint_every=150, log_every=10)
    folder = train(dataset, tmp_path / "run", config, tiny, device="cpu")
    curve = losses(tmp_path / "run")
    assert np.mean(curve[-3:]) < 0.75 * np.mean(curve[:2])
    assert (tmp_path / "run" / "loss.png").stat().st_size > 1000
    assert (folder / "config.json").exists()


@pytest.mark.slow
def test_trained_checkpoint_answers_through_the_policy_seam(dataset, tiny, tmp_path):
    policy = load_policy(train(dataset, tmp_path / "run", QUICK, tiny, device="cpu"))
    assert policy.spec.step_s == pytest.approx(0.05)
    assert policy.spec.action_names == ("x", "y", "z", "gripper")
    seen = [make_observation(state=[x, 0.0, 0.0, 1.0], instruction="walk") for x in (0.0, 5.0)]
    near, far = (policy.infer([o], n_samples=2, seed=4) for o in seen)
    assert near.shape == (2, 8, 4)
    assert np.median(far[..., 0]) - np.median(near[..., 0]) > 3.0  # relative to the hand


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["flow_matching", "diffusion"])
@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_every_objective_and_optimizer_trains(dataset, tiny, tmp_path, objective, optimizer):
    config = replace(QUICK, steps=2, optimizer=optimizer)
    folder = train(dataset, tmp_path / "run", config, replace(tiny, objective=objective), device="cpu")
    assert all(np.isfinite(value).all() for value in weights(folder).values())


def test_other_settings_are_refused_by_name(dataset, tiny, tmp_path):
    train(dataset, tmp_path / "run", replace(QUICK, steps=3), tiny, device="cpu")
    with pytest.raises(ResumeError, match="hidden_dim: 32 then, 64 now"):
        train(dataset, tmp_path / "run", QUICK, replace(tiny, hidden_dim=64), device="cpu")


@pytest.mark.slow
def test_more_steps_go_on_with_the_same_run(dataset, tiny, tmp_path):
    train(dataset, tmp_path / "run", replace(QUICK, steps=3), tiny, device="cpu")
    folder = train(dataset, tmp_path / "run", replace(QUICK, steps=5), tiny, device="cpu")
    assert folder.name == "000005"
    assert len(losses(tmp_path / "run")) == 5


def test_learning_rate_warms_up_and_ends_at_zero():
    config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize(
    ("field", "value"), [("optimizer", "sgd"), ("precision", "fp8"), ("steps", 0), ("draws", 0)]
)
def test_impossible_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        TrainConfig(**{field: value})


@pytest.mark.slow
def test_accelerate_spreads_a_run_over_two_processes(dataset, tiny, tmp_path):
    flags = [f"--{k.replace('_', '-')}={v}" for k, v in asdict(tiny).items() if not isinstance(v, bool)]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    run = ["-m", "lbm_policy_node.cli.main", "train", str(dataset.root), f"--out={tmp_path / 'run'}"]
    run += [
        "--device=cpu",
        "--threads=1",
        "--steps=3",
        "--batch-size=4",
        "--log-every=1",
        "--checkpoint-every=2",
    ]
    run += flags
    done = subprocess.run([*launch, *run], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(losses(tmp_path / "run")) == 3
    sidecar = json.loads((tmp_path / "run/checkpoints/000003/lbm_policy.json").read_text())
    assert (sidecar["provenance"]["processes"], sidecar["provenance"]["steps"]) == (2, 3)
