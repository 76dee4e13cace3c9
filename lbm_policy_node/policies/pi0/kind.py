# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What pi0 and pi0.5 can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, read_json
from lbm_policy_node.policies.kind import LoadRequest, PolicyKind, VerifyRequest
from lbm_policy_node.policies.policy import DescribedPolicy, FloatArray

if TYPE_CHECKING:
    from lbm_policy_node.policies.reference import StageResult


def _load(asked: LoadRequest) -> DescribedPolicy:
    from lbm_policy_node.policies.pi0.checkpoint import load_checkpoint
    from lbm_policy_node.policies.pi0.policy import Pi0Policy

    return Pi0Policy(load_checkpoint(asked.directory, asked.tokenizer, asked.device, asked.half))


def _verify(asked: VerifyRequest) -> Iterator[StageResult]:
    """Compare; the stages begin after the tokenizer, so neither it nor the instruction is needed."""
    from lbm_policy_node.policies.pi0.verification import load_for_verification, verify_pi0
    from lbm_policy_node.policies.reference import read_reference

    return verify_pi0(load_for_verification(asked.directory, asked.device), read_reference(asked.reference))


def _action_std(directory: Path) -> FloatArray:
    from lbm_policy_node.policies.action_statistics import spread
    from lbm_policy_node.policies.pi0.config import Pi0Config
    from lbm_policy_node.policies.pi0.processors import read_pi0_processors

    file = directory / CONFIG_FILE
    config = Pi0Config.from_dict(read_json(file), str(file))
    return spread(directory, read_pi0_processors(directory, config).outputs.stats)


def _check_start(directory: Path) -> None:
    from lbm_policy_node.policies.pi0.checkpoint import read_config

    read_config(directory)


POLICY_KIND = PolicyKind(
    load=_load,
    uses_torch=True,
    verify=_verify,
    action_std=_action_std,
    trainer="lbm_policy_node.training.pi0.pi0_subject:Pi0Subject",
    trainable_parts=("all", "expert"),
    check_start=_check_start,
)
