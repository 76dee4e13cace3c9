# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reference tensors of a checkpoint, and how far its numbers are from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

STAGES = ("net.", "pre.", "chunk.", "train.", "in.")
Reference = Mapping[str, Tensor]


@dataclass(frozen=True)
class StageResult:
    """The largest difference of one stage."""

    stage: str
    difference: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Within tolerance; an undefined difference is not."""
        return self.difference <= self.tolerance


def read_reference(path: Path) -> dict[str, Tensor]:
    """Read the reference tensors.

    Raises:
        CheckpointError: The file is missing or damaged, or holds none of the stages.
    """
    if not path.is_file():
        raise CheckpointError(path, "", "reference file is missing")
    try:
        reference = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(path, "", f"cannot be read, truncated or damaged ({error})") from error
    if not any(name.startswith(STAGES) for name in reference):
        raise CheckpointError(path, "", f"holds no reference tensors ({', '.join(STAGES)})")
    return reference


def largest_difference(found: Tensor, expected: Tensor) -> float:
    """Largest absolute difference; shapes must agree, because broadcasting would hide an error."""
    if found.shape != expected.shape:
        raise CheckpointError(
            "", "reference", f"has shape {tuple(expected.shape)}, found {tuple(found.shape)}"
        )
    return float((found.cpu().double() - expected.cpu().double()).abs().max())
