# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Loads any policy, of whatever kind; the kind's own code is imported only then."""

from __future__ import annotations

from pathlib import Path

from lbm_policy_node.paths import is_server_url
from lbm_policy_node.policies.kind import LoadRequest
from lbm_policy_node.policies.policy import DescribedPolicy
from lbm_policy_node.policies.registry import kind_of
from lbm_policy_node.policies.remote.kind import connect


def load_policy(
    path: str | Path,
    device: str = "cpu",
    tokenizer: str | Path | None = None,
    half: bool | None = None,
    threads: int | None = None,
) -> DescribedPolicy:
    """Load a policy directory, chosen by "type" in its config.json.

    Args:
        path: The directory, or the address of a policy server, ws://host:port.
        device: torch device for policies with weights.
        tokenizer: Tokenizer folder or file, for checkpoints that hold only a tokenizer's name.
        half: Compute in bfloat16; None lets the checkpoint decide.
        threads: CPU threads of policies with weights; None leaves torch's setting.

    Raises:
        CheckpointError: Names the file, the field and what was expected.
    """
    if is_server_url(path):
        return connect(path)
    directory = Path(path)
    _, kind = kind_of(directory)
    if threads is not None and kind.uses_torch:
        use_threads(threads)
    return kind.load(LoadRequest(directory=directory, device=device, tokenizer=tokenizer, half=half))


def use_threads(count: int) -> None:
    """Limit torch's threads in this process: several processes on few cores are fastest with one each."""
    import torch

    torch.set_num_threads(count)
