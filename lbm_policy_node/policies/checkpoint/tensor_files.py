# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Safetensors files as float32 tensors, with errors that name file and tensor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

METADATA = {"format": "pt"}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of floating-point tensors; half precision becomes float32.

    Raises:
        CheckpointError: The file is missing or truncated, or a tensor is not of finite floating-point
            numbers.
    """
    if not path.is_file():
        raise CheckpointError(path, "", "file is missing")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(path, "", f"cannot be read, truncated or damaged ({error})") from error
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise CheckpointError(path, name, f"has type {tensor.dtype}, expected a floating-point type")
        if not torch.isfinite(tensor).all():
            raise CheckpointError(path, name, "holds infinite or undefined numbers")
    # Copies: the file may be replaced while the policy runs, and the last bit of sums depends on alignment.
    return {name: tensor.to(torch.float32, copy=True) for name, tensor in tensors.items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> None:
    """Write tensors in the way LeRobot does, in one floating-point type."""
    ready = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}
    save_file(ready, path, metadata=METADATA)
