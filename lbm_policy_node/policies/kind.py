# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a kind of policy can do, said once, in the kind's own folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lbm_policy_node.policies.policy import DescribedPolicy, FloatArray

if TYPE_CHECKING:
    from lbm_policy_node.policies.reference import StageResult


@dataclass(frozen=True, kw_only=True)
class LoadRequest:
    """What a policy is loaded from, and how.

    Attributes:
        directory: The checkpoint.
        device: torch device for policies with weights.
        tokenizer: Tokenizer folder or file, for checkpoints that hold only a tokenizer's name.
        half: Compute in bfloat16; None lets the checkpoint decide.
    """

    directory: Path
    device: str = "cpu"
    tokenizer: str | Path | None = None
    half: bool | None = None


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """A checkpoint and the tensors that it is compared with.

    Attributes:
        directory: The checkpoint.
        reference: Its ref.safetensors.
        instruction: The text behind the reference; None: `task` in ref.json beside it.
        device: torch device.
        tokenizer: As in `LoadRequest`.
    """

    directory: Path
    reference: Path
    instruction: str | None = None
    device: str = "cpu"
    tokenizer: Path | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyKind:
    """What a kind of policy can do: the one registration through which every command and node uses it.

    The kind's folder holds it, usually in a file `kind.py`. It is known by the name that "type" in
    config.json has. Adding one takes the folder and one line: in the table of `policies/registry.py`, or, for
    a kind of another package, an entry point of the group "lbm_policy.policy_kinds" that names the
    registration.

    Each function imports what it needs when it is called: the registration itself is imported to list what
    the kinds can do, also on a robot computer without torch. An ability that is None (or empty) is missing,
    and a command that needs it refuses the checkpoint and names the kinds that have it.

    All functions raise CheckpointError, which names the file, the field and what was expected.

    Attributes:
        load: Returns the policy; `Policy` says what it must do.
        uses_torch: Whether `threads` of `load_policy` limits torch's threads before it is loaded.
        verify: Compares the checkpoint's numbers with stored tensors, stage by stage (`lbm verify`).
        action_std: Returns the standard deviation of the actions in training, in physical units, shape
            (action_dim,) or (horizon, action_dim); the monitor scales actions by it (`lbm calibrate`).
        trainer: What `lbm train` trains, "module:callable", called with (dataset, TrainConfig, ModelSize,
            PolicyChoice, weights of the steps or None); returns a `training.subject.Subject`. A text, because
            policies may not import training.
        trained_as: What `lbm train --policy` calls it; empty: the kind's name.
        trainable_parts: What may learn (`lbm train --train`); the first is always "all".
        check_start: Refuses a checkpoint that cannot be fine-tuned, before a run claims its folder; None: the
            kind is trained from scratch only.
    """

    load: Callable[[LoadRequest], DescribedPolicy]
    uses_torch: bool = False
    verify: Callable[[VerifyRequest], Iterator[StageResult]] | None = None
    action_std: Callable[[Path], FloatArray] | None = None
    trainer: str = ""
    trained_as: str = ""
    trainable_parts: tuple[str, ...] = ("all",)
    check_start: Callable[[Path], object] | None = None
