# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares a pi0's numbers with reference tensors, stage by stage.

The reference is a `ref.safetensors` of the form that tests/assets/golden/README.md describes. No tokenizer
and no processor takes part: the stored inputs are the network's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.sidecar import read_sidecar
from lbm_policy_node.policies.pi0.checkpoint import read_config
from lbm_policy_node.policies.pi0.model import Pi0
from lbm_policy_node.policies.pi0.network.joint import joint_sample
from lbm_policy_node.policies.pi0.rtc import SCHEDULES, Guidance, prefix_weights
from lbm_policy_node.policies.pi0.weights import load_model
from lbm_policy_node.policies.reference import Reference, StageResult, largest_difference

TOLERANCES = {
    "actions": 1e-5,
    "actions, 5 steps": 1e-5,
    "without prefix cache": 1e-5,
    "chunking weights": 1e-6,
    "chunking actions": 1e-5,
    "loss": 1e-5,
    "gradients": 1e-5,
}
"""Largest allowed difference per stage; loss and gradients relative, the others absolute (float32, CPU)."""
RTC_DELAY, RTC_HORIZON, RTC_WEIGHT = 2, 6, 5.0
"""What the reference's guided chunks were made with."""


def load_for_verification(directory: Path, device: str) -> Pi0:
    """The model alone, in float32."""
    return load_model(directory, read_config(directory), read_sidecar(directory), torch.float32, device)


def verify_pi0(model: Pi0, reference: Reference) -> Iterator[StageResult]:
    """Run every stage for which the reference has tensors; the model's gradients are cleared afterwards."""
    if "actions" in reference:
        yield _result("actions", _sampled(model, reference, 10, "actions"))
    if "actions_5_steps" in reference:
        yield _result("actions, 5 steps", _sampled(model, reference, 5, "actions_5_steps"))
    if "noise" in reference:
        yield _result("without prefix cache", _uncached(model, reference))
    if "rtc.prev" in reference:
        yield _result("chunking weights", _chunking_weights(model, reference))
        yield _result("chunking actions", _chunking_actions(model, reference))
    if "train.actions" in reference:
        loss, gradient = _training(model, reference)
        yield _result("loss", loss)
        yield _result("gradients", gradient)


def _result(stage: str, difference: float) -> StageResult:
    return StageResult(stage, difference, TOLERANCES[stage])


def _inputs(model: Pi0, reference: Reference) -> dict[str, Tensor]:
    device = model.action_in_proj.weight.device
    named = {name: tensor for name, tensor in reference.items() if name.startswith("in.")}
    return {name.removeprefix("in."): tensor.to(device) for name, tensor in named.items()}


def _noise(model: Pi0, reference: Reference) -> Tensor:
    return reference["noise"].to(model.action_in_proj.weight.device)


@torch.inference_mode()
def _sampled(model: Pi0, reference: Reference, steps: int, name: str) -> float:
    context = model.encode(_inputs(model, reference))
    return largest_difference(model.sample(context, _noise(model, reference), steps), reference[name])


@torch.inference_mode()
def _uncached(model: Pi0, reference: Reference) -> float:
    """The fast path against the reference's training pass, which caches and drops nothing."""
    batch, noise, steps = (
        _inputs(model, reference),
        _noise(model, reference),
        model.config.num_inference_steps,
    )
    fast = model.sample(model.encode(batch), noise, steps)
    return largest_difference(fast, joint_sample(model, batch, noise, steps))


def _chunking_weights(model: Pi0, reference: Reference) -> float:
    rows = model.config.chunk_size
    return max(
        largest_difference(
            prefix_weights(name, RTC_DELAY, RTC_HORIZON, rows), reference[f"rtc.weights.{name}"]
        )
        for name in SCHEDULES
    )


@torch.inference_mode()
def _chunking_actions(model: Pi0, reference: Reference) -> float:
    context, noise = model.encode(_inputs(model, reference)), _noise(model, reference)
    differences = []
    for name in SCHEDULES:
        guidance = Guidance(reference["rtc.prev"], RTC_DELAY, RTC_HORIZON, name, RTC_WEIGHT)
        chunk = model.sample(context, noise, guidance=guidance)
        differences.append(largest_difference(chunk, reference[f"rtc.actions.{name}"]))
    return max(differences)


def _training(model: Pi0, reference: Reference) -> tuple[float, float]:
    """Relative differences of the loss and of the stored gradient."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    draws = {
        name: reference[f"train.{name}"].to(model.action_in_proj.weight.device)
        for name in ("actions", "noise", "time")
    }
    batch = {**_inputs(model, reference), "action": draws["actions"]}
    loss = model.loss(batch, noise=draws["noise"], t=draws["time"])
    loss.backward()
    found, expected = model.action_in_proj.weight.grad, reference["grad.action_in_proj"]
    if found is None:
        raise CheckpointError("", "action_in_proj.weight", "this parameter gets no gradient")
    gradient = largest_difference(found, expected) / float(expected.abs().max())
    model.zero_grad(set_to_none=True)
    return abs(loss.item() / reference["train.loss"].item() - 1), gradient
