# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What the multitask diffusion transformer can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lbm_policy_node.policies.checkpoint.extensions import Extensions
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, read_json
from lbm_policy_node.policies.kind import LoadRequest, PolicyKind, VerifyRequest
from lbm_policy_node.policies.policy import FloatArray

if TYPE_CHECKING:
    from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy
    from lbm_policy_node.policies.reference import StageResult


def _load(asked: LoadRequest) -> MultiTaskDiTPolicy:
    from lbm_policy_node.policies.multitask_dit.checkpoint import load_checkpoint
    from lbm_policy_node.policies.multitask_dit.policy import MultiTaskDiTPolicy

    checkpoint = load_checkpoint(asked.directory, asked.tokenizer)
    return MultiTaskDiTPolicy(checkpoint, asked.device, half=asked.half)


def _verify(asked: VerifyRequest) -> Iterator[StageResult]:
    from lbm_policy_node.policies.multitask_dit.verification import read_instruction, verify
    from lbm_policy_node.policies.reference import read_reference

    policy = _load(LoadRequest(directory=asked.directory, device=asked.device, tokenizer=asked.tokenizer))
    instruction = asked.instruction or read_instruction(asked.reference)
    return verify(policy, read_reference(asked.reference), instruction)


def _action_std(directory: Path) -> FloatArray:
    from lbm_policy_node.policies.action_statistics import spread
    from lbm_policy_node.policies.checkpoint.processor_files import read_processors

    file = directory / CONFIG_FILE
    config = read_json(file)
    extensions = Extensions.from_dict(config.get("lbm_extensions", {}), str(file))
    steps = config.get("horizon") if extensions.per_timestep_action_stats else None
    return spread(directory, read_processors(directory, steps).outputs.stats)


POLICY_KIND = PolicyKind(
    load=_load,
    uses_torch=True,
    verify=_verify,
    action_std=_action_std,
    trainer="lbm_policy_node.training.multitask_dit.dit_subject:DiTSubject",
    trained_as="dit",
)
