# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""LeRobot's own numbers, inner stages first, each fed from stored tensors, so a failure names its stage."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lbm_policy_node.policies.multitask_dit.model import MultiTaskDiT
from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy

CHUNKS = ((0, 0), (1, 8), (2, 16))


def difference(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


@pytest.fixture
def policy(golden: Any) -> MultiTaskDiTPolicy:
    return MultiTaskDiTPolicy(golden.checkpoint)


def test_network_call_matches(golden: Any) -> None:
    with torch.inference_mode():
        out = golden.checkpoint.model.network(*(golden.reference[f"net.{n}"] for n in ("x", "t", "cond")))
    assert difference(out, golden.reference["net.out"]) <= 1e-5


def test_conditioning_of_preprocessed_observation_matches(golden: Any) -> None:
    keys = ["observation.state", *golden.checkpoint.config.image_features]
    batch = {key: golden.reference[f"pre.0.{key}"][:, None].repeat_interleave(2, dim=1) for key in keys}
    batch["observation.language.tokens"] = golden.reference["pre.0.observation.language.tokens"]
    with torch.inference_mode():
        cond = golden.checkpoint.model.encode(batch)
    assert difference(cond, golden.reference["chunk.0.cond"]) <= 1e-5


def test_preprocessing_matches(golden: Any, policy: MultiTaskDiTPolicy) -> None:
    for tick in (0, 1):
        batch = policy.preprocess([golden.observations()[tick]] * 2)
        for key, value in batch.items():
            assert difference(value[:, 1], golden.reference[f"pre.{tick}.{key}"]) <= 1e-6


def test_tokens_and_mask_match_exactly(golden: Any) -> None:
    tokens, mask = golden.checkpoint.tokenizer(golden.instruction)
    assert torch.equal(tokens, golden.reference["pre.0.observation.language.tokens"])
    assert torch.equal(mask, golden.reference["pre.0.observation.language.attention_mask"])


def test_conditioning_from_raw_ticks_matches(golden: Any, policy: MultiTaskDiTPolicy) -> None:
    ticks = golden.observations()
    for chunk, tick in CHUNKS:
        cond = policy.encode([ticks[max(0, tick - 1)], ticks[tick]])
        assert difference(cond, golden.reference[f"chunk.{chunk}.cond"]) <= 1e-5


@pytest.mark.parametrize("hoist", [False, True])
def test_sampler_alone_matches(golden: Any, hoist: bool) -> None:
    policy = MultiTaskDiTPolicy(golden.checkpoint, hoist=hoist)
    for chunk, _ in CHUNKS:
        stored = {n: golden.reference.get(f"chunk.{chunk}.{n}") for n in ("cond", "init_noise", "step_noise")}
        steps = iter(stored["step_noise"] if stored["step_noise"] is not None else ())
        sample = policy.sample(stored["cond"], stored["init_noise"], lambda steps=steps: next(steps))
        assert difference(sample, golden.reference[f"chunk.{chunk}.sample"]) <= 3e-5
        assert next(steps, None) is None, "every stored step noise is drawn"


def test_executed_rows_start_at_the_newest_observation(golden: Any) -> None:
    config = golden.checkpoint.config
    rows = slice(config.first_row, config.first_row + config.n_action_steps)
    executed = torch.cat([golden.reference[f"chunk.{chunk}.sample"][0, rows] for chunk, _ in CHUNKS])
    assert torch.equal(executed[:20], golden.reference["action.normalized"])


def test_seeded_inference_reproduces_twenty_ticks_of_actions(golden: Any, policy: MultiTaskDiTPolicy) -> None:
    ticks, actions = golden.observations(), []
    for _, tick in CHUNKS:
        chunk = policy.infer([ticks[max(0, tick - 1)], ticks[tick]], seed=100 + tick)
        assert chunk.shape == (1, 15, 5)
        actions.append(chunk[0, : policy.spec.n_action_steps])
    expected = golden.reference["action"].numpy()
    assert np.abs(np.concatenate(actions)[:20] - expected).max() <= 1e-4


@pytest.mark.parametrize(("masked", "key"), [(False, "train.loss"), (True, "train.loss_masked")])
def test_training_loss_matches(golden: Any, masked: bool, key: str) -> None:
    source = golden.checkpoint.model
    config = replace(source.config, do_mask_loss_for_padding=masked)
    model = MultiTaskDiT(config, source.vision_config, source.text_config).eval()
    model.load_state_dict(source.state_dict())
    batch = golden.training_batch()
    with torch.no_grad():
        loss = model.loss(batch, noise=batch["noise"], t=batch["t"])
    assert loss.item() == pytest.approx(golden.reference[key].item(), rel=1e-5)


def test_gradients_match(golden: Any) -> None:
    model, batch = golden.checkpoint.model, golden.training_batch()
    model.zero_grad(set_to_none=True)
    model.loss(batch, noise=batch["noise"], t=batch["t"]).backward()
    parameters = dict(model.named_parameters())
    names = [name for name in golden.reference if name.startswith("grad.")]
    assert len(names) >= 6
    for name in names:
        expected = golden.reference[name]
        found = parameters[name.removeprefix("grad.")].grad
        assert found is not None
        assert difference(found, expected) / expected.abs().max() <= 1e-5
    assert all(
        p.grad is None for n, p in parameters.items() if ".text_model." in n or "post_layernorm" in n
    ), "the text tower is frozen and post_layernorm unused"
    model.zero_grad(set_to_none=True)
