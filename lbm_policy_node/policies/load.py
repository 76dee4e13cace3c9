# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Loads any policy: the only place that chooses a kind, whose own code is imported only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lbm_policy_node.paths import is_server_url
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, read_json
from lbm_policy_node.policies.policy import DescribedPolicy


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
        return _load_remote(path)
    directory = Path(path)
    if not directory.is_dir():
        raise CheckpointError(directory, "", "checkpoint directory is missing")
    config = read_json(directory / CONFIG_FILE)
    kind = config.get("type")
    if isinstance(kind, str) and kind in _LOADERS:
        return _LOADERS[kind](_Request(directory, device, tokenizer, half, threads))
    if kind is None and "action_horizon" in config:
        raise CheckpointError(
            directory,
            "",
            "is a checkpoint of openpi, which names no cameras: `lbm import-openpi` makes it a LeRobot one",
        )
    raise CheckpointError(directory / CONFIG_FILE, "type", f"is {kind!r}, expected one of {KINDS}")


@dataclass(frozen=True)
class _Request:
    """The arguments of load_policy."""

    directory: Path
    device: str
    tokenizer: str | Path | None
    half: bool | None
    threads: int | None


def _load_dit(asked: _Request) -> DescribedPolicy:
    if asked.threads is not None:
        use_threads(asked.threads)
    from lbm_policy_node.policies.multitask_dit.checkpoint import load_checkpoint
    from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy

    return MultiTaskDiTPolicy(
        load_checkpoint(asked.directory, asked.tokenizer), asked.device, half=asked.half
    )


def _load_pi0(asked: _Request) -> DescribedPolicy:
    if asked.threads is not None:
        use_threads(asked.threads)
    from lbm_policy_node.policies.pi0.checkpoint import load_checkpoint
    from lbm_policy_node.policies.pi0.policy import Pi0Policy

    return Pi0Policy(load_checkpoint(asked.directory, asked.tokenizer, asked.device, asked.half))


def _load_weightless(asked: _Request) -> DescribedPolicy:
    from lbm_policy_node.policies.weightless import load_weightless

    return load_weightless(asked.directory)


def _load_remote(source: str | Path) -> DescribedPolicy:
    try:
        from lbm_policy_node.policies.remote.load import load_remote
    except ImportError as error:
        text = f"a remote policy needs other Python packages ({error}); pip install -r requirements/base.txt"
        raise CheckpointError(source, "", text) from error
    return load_remote(source)


_LOADERS: dict[str, Callable[[_Request], DescribedPolicy]] = {
    "multi_task_dit": _load_dit,
    "pi0": _load_pi0,
    "pi05": _load_pi0,
    "remote": lambda asked: _load_remote(asked.directory),
    "weightless": _load_weightless,
}
KINDS = tuple(_LOADERS)


def use_threads(count: int) -> None:
    """Limit torch's threads in this process: several processes on few cores are fastest with one each."""
    import torch

    torch.set_num_threads(count)
