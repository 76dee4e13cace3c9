# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares any checkpoint with reference tensors; its kind chooses the stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lbm_policy_node.policies.kind import VerifyRequest
from lbm_policy_node.policies.reference import StageResult
from lbm_policy_node.policies.registry import kind_of, lacks


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
    name, kind = kind_of(directory)
    if kind.verify is None:
        raise lacks(directory, name, "has no numbers to verify", lambda kind: kind.verify)
    return kind.verify(
        VerifyRequest(
            directory=directory,
            reference=reference,
            instruction=instruction,
            device=device,
            tokenizer=tokenizer,
        )
    )
