# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""pi0 and pi0.5 in training: new ones learn, checkpoints are fine-tuned, and only what should learn does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from click.testing import CliRunner
from safetensors.numpy import load_file

from helpers.builders import make_observation
from lbm_policy_node.cli import train as train_command
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig
from lbm_policy_node.training.loop import train
from lbm_policy_node.training.make_subject import make_subject
from lbm_policy_node.training.pi0.pi0_subject import Pi0Subject
from lbm_policy_node.training.resume import ResumeError

pytestmark = pytest.mark.slow

QUICK = TrainConfig(steps=4, batch_size=6, draws=2, warmup_steps=1, checkpoint_every=2, log_every=1)
SIZE = ModelSize(horizon=6, n_action_steps=3, sampling_steps=4, action_space="absolute")
PI0, PI05 = PolicyChoice(policy="pi0"), PolicyChoice(policy="pi05")
BACKBONE, EXPERT = "paligemma_with_expert.paligemma.", "paligemma_with_expert.gemma_expert."


def weights(folder: Path) -> dict[str, Any]:
    return load_file(folder / "model.safetensors")


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Names of the tensors that differ, without the language heads, which nothing reads."""
    names = {name for name in before if not np.array_equal(before[name], after[name])}
    return {name.removeprefix("model.") for name in names if "lm_head" not in name}


@pytest.fixture(scope="module")
def start(dataset: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pi0 of one training step, to be fine-tuned."""
    out = tmp_path_factory.mktemp("start")
    return train(dataset, out, replace(QUICK, steps=1), SIZE, choice=PI0, device="cpu")


@pytest.mark.parametrize("choice", [PI0, PI05], ids=["pi0", "pi05"])
def test_new_model_learns_and_answers(dataset: Any, tmp_path: Path, choice: PolicyChoice) -> None:
    config = replace(QUICK, steps=40, learning_rate=2e-3, checkpoint_every=40, log_every=4, ema_decay=0.0)
    folder = train(dataset, tmp_path / "run", config, SIZE, choice=choice, device="cpu")
    curve = losses(tmp_path / "run")
    assert np.mean(curve[-3:]) < 0.8 * np.mean(curve[:2])
    policy = load_policy(folder)
    assert policy.spec.kind == choice.policy and policy.spec.step_s == pytest.approx(0.05)
    seen = make_observation(instruction="walk")
    assert policy.infer([seen], n_samples=2).shape == (2, 6, 4)


def test_expert_alone_leaves_vision_and_language_to_the_bit(
    dataset: Any, start: Path, tmp_path: Path
) -> None:
    choice = PolicyChoice(init=str(start), train="expert")
    folder = train(
        dataset, tmp_path / "run", replace(QUICK, ema_decay=0.0), SIZE, choice=choice, device="cpu"
    )
    names = changed(weights(start), weights(folder))
    assert any(name.startswith(EXPERT) for name in names)
    assert not [name for name in names if name.startswith(BACKBONE)]


def test_with_the_backbone_everything_that_is_read_learns(dataset: Any, start: Path, tmp_path: Path) -> None:
    choice = PolicyChoice(init=str(start), gradient_checkpointing=True)
    folder = train(
        dataset, tmp_path / "run", replace(QUICK, ema_decay=0.0), SIZE, choice=choice, device="cpu"
    )
    same = {name.removeprefix("model.") for name in weights(start)} - changed(weights(start), weights(folder))
    body = f"{BACKBONE}model.language_model."
    unread = {f"{body}norm.weight"} | {
        f"{body}layers.2.{name}.weight"
        for name in ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
                     "post_attention_layernorm")
    }  # fmt: skip
    assert {name for name in same if "lm_head" not in name} == unread


def test_gradient_checkpointing_changes_no_gradient(dataset: Any) -> None:
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        choice = replace(PI0, gradient_checkpointing=checkpointing)
        subject = make_subject(dataset, QUICK, SIZE, choice, None)
        inputs = subject.inputs(subject.samples.batch(np.arange(4)), torch.device("cpu"))
        subject.learner.train()
        torch.manual_seed(1)
        subject.learner(inputs, draws=2)[0].backward()
        gradients.append({n: p.grad for n, p in subject.learner.named_parameters() if p.requires_grad})
    assert all(gradient is not None for gradient in gradients[0].values()), "else distributed training fails"
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)


@pytest.fixture
def fresh_accelerate() -> Iterator[None]:
    """accelerate remembers the precision of a process; forget it before and after."""
    AcceleratorState._reset_state(True)
    yield
    AcceleratorState._reset_state(True)


@pytest.mark.usefixtures("fresh_accelerate")
@pytest.mark.parametrize("part", ["all", "expert"])
def test_bfloat16_trains(dataset: Any, start: Path, tmp_path: Path, part: str) -> None:
    choice = PolicyChoice(init=str(start), train=part)
    config = replace(QUICK, steps=2, precision="bf16")
    folder = train(dataset, tmp_path / "run", config, SIZE, choice=choice, device="cpu")
    assert all(np.isfinite(value).all() for value in weights(folder).values())


def test_resumed_run_equals_an_uninterrupted_one(dataset: Any, tmp_path: Path) -> None:
    whole = train(dataset, tmp_path / "whole", QUICK, SIZE, choice=PI0, device="cpu")
    train(dataset, tmp_path / "parts", QUICK, SIZE, choice=PI0, device="cpu", stop_after=2)
    parts = train(dataset, tmp_path / "parts", QUICK, SIZE, choice=PI0, device="cpu")
    assert not changed(weights(whole), weights(parts))


def test_another_policy_does_not_go_on_with_a_run(dataset: Any, tmp_path: Path) -> None:
    train(dataset, tmp_path / "run", replace(QUICK, steps=1), SIZE, choice=PI0, device="cpu")
    with pytest.raises(ResumeError, match="policy: pi0 then, pi05 now"):
        train(dataset, tmp_path / "run", QUICK, SIZE, choice=PI05, device="cpu")


def test_relative_actions_are_trained_relative_to_the_state(dataset: Any) -> None:
    subject = make_subject(dataset, QUICK, replace(SIZE, action_space="relative"), PI0, None)
    steps = np.array([0, 3])
    actions, _ = subject.samples.actions(steps)
    state, target = dataset.vectors["observation.state"][steps], dataset.vectors["action"][steps]
    np.testing.assert_allclose(actions[:, 0, :3], (target - state)[:, :3], atol=1e-6)
    np.testing.assert_allclose(actions[:, 0, 3], target[:, 3], atol=1e-6)


def test_loss_of_a_batch_equals_the_models_own(dataset: Any) -> None:
    """What the loop feeds is what the policy would see."""
    subject = make_subject(dataset, QUICK, SIZE, PI05, None)
    assert isinstance(subject, Pi0Subject)
    inputs = subject.inputs(subject.samples.batch(np.array([2])), torch.device("cpu"))
    stats = dataset.stats["observation.state"]
    state = 2 * (dataset.vectors["observation.state"][2] - stats["q01"]) / (stats["q99"] - stats["q01"]) - 1
    np.testing.assert_allclose(inputs["observation.state"][0].numpy(), state, rtol=1e-4, atol=1e-5)
    frame = dataset.frames("observation.images.front")[2]
    np.testing.assert_allclose(
        inputs["observation.images.front"][0].numpy(), frame.transpose(2, 0, 1) / 255, atol=1e-6
    )
    assert inputs["observation.language.attention_mask"].sum() > 10


def test_what_cannot_be_fine_tuned_is_named(dataset: Any, tiny: Any, start: Path, tmp_path: Path) -> None:
    dit = train(dataset, tmp_path / "dit", replace(QUICK, steps=1), tiny, device="cpu")
    with pytest.raises(CheckpointError, match="multi_task_dit"):
        train(dataset, tmp_path / "run", QUICK, SIZE, choice=PolicyChoice(init=str(dit)), device="cpu")
    config = json.loads((start / "config.json").read_text())
    narrow = tmp_path / "narrow"
    narrow.mkdir()
    for file in start.iterdir():
        if file.is_file():
            (narrow / file.name).write_bytes(file.read_bytes())
    (narrow / "tokenizer").symlink_to(start / "tokenizer")
    (narrow / "config.json").write_text(json.dumps({**config, "max_state_dim": 4, "max_action_dim": 8}))
    with pytest.raises(CheckpointError, match="wrongly shaped"):
        train(dataset, tmp_path / "other", QUICK, SIZE, choice=PolicyChoice(init=str(narrow)), device="cpu")


@pytest.mark.parametrize(("field", "value"), [("policy", "act"), ("train", "head"), ("pi0_size", "huge")])
def test_impossible_choices_are_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(PI0, **{field: value})


def test_expert_needs_an_expert() -> None:
    with pytest.raises(ValueError, match="train must be all"):
        PolicyChoice(train="expert")


def test_command_fine_tunes_a_checkpoint(dataset: Any, start: Path, tmp_path: Path) -> None:
    flags = f"{dataset.root} --out {tmp_path / 'run'} --init {start} --train expert --device cpu --steps 2"
    flags += " --batch-size 4 --draws 1 --ema-decay 0 --log-every 1"
    result = CliRunner().invoke(train_command.command, flags.split())
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run/checkpoints/000002/model.safetensors").exists()
    wrong = CliRunner().invoke(
        train_command.command, [str(dataset.root), "--out", str(tmp_path / "wrong"), "--init", str(tmp_path)]
    )
    assert wrong.exit_code == 1 and "config.json" in wrong.output
    assert not (tmp_path / "wrong").exists(), "a refused run must not claim its folder"
