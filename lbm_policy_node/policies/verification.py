# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares any checkpoint with reference tensors; the kind in config.json chooses the stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, read_json
from lbm_policy_node.policies.reference import StageResult, read_reference

KINDS = ("multi_task_dit", "pi0", "pi05")


def verify_checkpoint(
    directory: Path,
    reference: Path,
    *,
    instruction: str | None = None,
    device: str = "cpu",
    tokenizer: Path | None = None,
) -> Iterator[StageResult]:
    """Run every stage for which the reference has tensors, in float32.

    Args:
        directory: The checkpoint.
        reference: Its ref.safetensors.
        instruction: The text behind the reference; default: `task` in ref.json beside it.
        device: torch device.
        tokenizer: For checkpoints that hold only a tokenizer's name; pi0's stages need none.

    Raises:
        CheckpointError: The checkpoint or the reference cannot be used.
    """
    kind = read_json(directory / CONFIG_FILE).get("type")
    if kind == "multi_task_dit":
        from lbm_policy_node.policies.multitask_dit.checkpoint import load_checkpoint
        from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy
        from lbm_policy_node.policies.multitask_dit.verification import read_instruction, verify

        policy = MultiTaskDiTPolicy(load_checkpoint(directory, tokenizer), device)
        return verify(policy, read_reference(reference), instruction or read_instruction(reference))
    if kind in ("pi0", "pi05"):
        from lbm_policy_node.policies.pi0.verification import load_for_verification, verify_pi0

        return verify_pi0(load_for_verification(directory, device), read_reference(reference))
    raise CheckpointError(directory / CONFIG_FILE, "type", f"is {kind!r}, expected one of {KINDS}")
