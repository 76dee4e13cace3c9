# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares a checkpoint's numbers with reference tensors, stage by stage.

The reference is a `ref.safetensors` of the form that tests/assets/golden/README.md describes. Each stage is
fed from the stored tensors of the one before, so that a failure names its stage.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, MASK_KEY, STATE_KEY, TOKENS_KEY
from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy
from lbm_policy_node.policies.reference import Reference, StageResult, largest_difference

TOLERANCES = {
    "network": 1e-5,
    "preprocess": 1e-6,
    "tokens": 0.0,
    "conditioning": 1e-5,
    "sample": 3e-5,
    "normalized actions": 1e-4,
    "actions": 1e-4,
    "loss": 1e-5,
    "gradients": 1e-5,
}
"""Largest allowed difference per stage; loss and gradients relative, the others absolute (float32, CPU)."""


def read_instruction(path: Path) -> str | None:
    """The instruction of the reference, from ref.json beside it."""
    file = path.with_suffix(".json")
    return json.loads(file.read_text(encoding="utf-8")).get("task") if file.is_file() else None


def verify(
    policy: MultiTaskDiTPolicy, reference: Reference, instruction: str | None = None
) -> Iterator[StageResult]:
    """Run every stage for which the reference has tensors; the model's gradients are cleared afterwards.

    Args:
        policy: The loaded checkpoint.
        reference: What `read_reference` gives.
        instruction: The text behind the reference; without it the stages from raw observations are left out.
    """
    if "net.x" in reference:
        yield _result("network", _network(policy, reference))
    if "raw.observation.state" in reference and instruction is not None:
        history = _observations(policy, reference, instruction)
        yield _result("preprocess", _preprocess(policy, reference, history))
        yield _result("tokens", _tokens(policy, reference, instruction))
        yield _result("conditioning", _conditioning(policy, reference, history))
        yield _result("sample", _sample(policy, reference))
        normalized, physical = _actions(policy, reference, history)
        yield _result("normalized actions", normalized)
        yield _result("actions", physical)
    if "train.action" in reference:
        loss, gradients = _training(policy, reference)
        yield _result("loss", loss)
        yield _result("gradients", gradients)


def _result(stage: str, difference: float) -> StageResult:
    return StageResult(stage, difference, TOLERANCES[stage])


@torch.inference_mode()
def _network(policy: MultiTaskDiTPolicy, reference: Reference) -> float:
    x, t, cond = (reference[f"net.{name}"].to(policy.device) for name in ("x", "t", "cond"))
    return largest_difference(policy.model.network(x, t, cond), reference["net.out"])


def _observations(policy: MultiTaskDiTPolicy, reference: Reference, instruction: str) -> list[Observation]:
    cameras = [image.key for image in policy.spec.images]
    states = reference["raw.observation.state"].numpy()
    return [
        Observation(i, {key: reference[f"raw.{key}"][i].numpy() for key in cameras}, state, instruction)
        for i, state in enumerate(states)
    ]


def _preprocess(policy: MultiTaskDiTPolicy, reference: Reference, history: list[Observation]) -> float:
    steps = policy.model.config.n_obs_steps
    differences = []
    for tick in range(2):
        batch = policy.preprocess([history[tick]] * steps)
        names = [STATE_KEY, *policy.model.config.image_features]
        differences += [largest_difference(batch[n][:, 0], reference[f"pre.{tick}.{n}"]) for n in names]
    return max(differences)


def _tokens(policy: MultiTaskDiTPolicy, reference: Reference, instruction: str) -> float:
    tokens, mask = policy.checkpoint.tokenizer(instruction)
    return max(
        largest_difference(tokens, reference[f"pre.0.{TOKENS_KEY}"]),
        largest_difference(mask, reference[f"pre.0.{MASK_KEY}"]),
    )


def _chunks(reference: Reference) -> Iterator[tuple[int, int]]:
    """(chunk, tick) pairs."""
    index = 0
    while f"chunk.{index}.tick" in reference:
        yield index, int(reference[f"chunk.{index}.tick"])
        index += 1


def _window(policy: MultiTaskDiTPolicy, history: list[Observation], tick: int) -> list[Observation]:
    """The observations of a tick; the first one is repeated at the beginning."""
    return [history[max(0, tick + delta)] for delta in range(1 - policy.model.config.n_obs_steps, 1)]


def _conditioning(policy: MultiTaskDiTPolicy, reference: Reference, history: list[Observation]) -> float:
    return max(
        largest_difference(policy.encode(_window(policy, history, tick)), reference[f"chunk.{i}.cond"])
        for i, tick in _chunks(reference)
    )


def _draw(policy: MultiTaskDiTPolicy, reference: Reference, index: int, cond: Tensor) -> Tensor:
    noise = reference[f"chunk.{index}.init_noise"].to(policy.device)
    steps = iter(reference.get(f"chunk.{index}.step_noise", torch.empty(0)).to(policy.device))
    return policy.sample(cond.to(policy.device), noise, lambda: next(steps))


def _sample(policy: MultiTaskDiTPolicy, reference: Reference) -> float:
    return max(
        largest_difference(
            _draw(policy, reference, i, reference[f"chunk.{i}.cond"]), reference[f"chunk.{i}.sample"]
        )
        for i, _ in _chunks(reference)
    )


def _actions(
    policy: MultiTaskDiTPolicy, reference: Reference, history: list[Observation]
) -> tuple[float, float]:
    """From raw observations to the executed actions of every tick, normalised and physical."""
    rows, first = policy.spec.n_action_steps, policy.model.config.first_row
    normalized, physical = [], []
    for index, tick in _chunks(reference):
        window = _window(policy, history, tick)
        sample = _draw(policy, reference, index, policy.encode(window))
        normalized.append(sample[0, first : first + rows].cpu())
        physical.append(policy.decode(sample, window)[0, :rows])
    count = len(reference[ACTION_KEY])
    return (
        largest_difference(torch.cat(normalized)[:count], reference["action.normalized"]),
        largest_difference(torch.from_numpy(np.concatenate(physical)[:count]), reference[ACTION_KEY]),
    )


def _training(policy: MultiTaskDiTPolicy, reference: Reference) -> tuple[float, float]:
    """Relative differences of loss and gradients in eval mode."""
    prefix = "train."
    batch = {
        name.removeprefix(prefix): tensor.to(policy.device)
        for name, tensor in reference.items()
        if name.startswith(prefix)
    }
    loss = policy.model.loss(batch, noise=batch["noise"], t=batch["t"])
    loss.backward()
    key = "train.loss_masked" if policy.model.config.do_mask_loss_for_padding else "train.loss"
    relative = abs(loss.item() / reference[key].item() - 1)
    gradients = _gradients(policy, reference)
    policy.model.zero_grad(set_to_none=True)
    return relative, gradients


def _gradients(policy: MultiTaskDiTPolicy, reference: Reference) -> float:
    """Largest difference over the largest value of each stored gradient."""
    parameters = dict(policy.model.named_parameters())
    differences = [0.0]
    for name, expected in reference.items():
        if name.startswith("grad."):
            found = parameters[name.removeprefix("grad.")].grad
            if found is None:
                raise CheckpointError("", name, "this parameter gets no gradient")
            differences.append(largest_difference(found, expected) / float(expected.abs().max()))
    return max(differences)
