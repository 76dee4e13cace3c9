# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""From the choice of a policy to what is trained; the kind's own code is imported only then."""

from __future__ import annotations

from pathlib import Path

from lbm_policy_node.core.plugins import import_attribute
from lbm_policy_node.core.types import Array
from lbm_policy_node.data.datasets.dataset_reader import Dataset
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.kind import PolicyKind
from lbm_policy_node.policies.registry import kind_of, lacks
from lbm_policy_node.training.config import ModelSize, PolicyChoice, TrainConfig, trained_kinds
from lbm_policy_node.training.subject import Subject


def make_subject(
    dataset: Dataset, config: TrainConfig, size: ModelSize, choice: PolicyChoice, weights: Array | None
) -> Subject:
    """Build the policy to train.

    Args:
        dataset: What to learn from.
        config: How to train.
        size: Shape of a new model.
        choice: Which policy, and from what.
        weights: How much each step of the dataset counts; None: all the same.

    Raises:
        CheckpointError: The checkpoint to fine-tune cannot be used.
        PluginError: The kind's trainer cannot be imported.
    """
    return import_attribute(chosen_kind(choice).trainer)(dataset, config, size, choice, weights)


def chosen_kind(choice: PolicyChoice) -> PolicyKind:
    """Return the kind of a new policy, or of the checkpoint that is fine-tuned.

    Raises:
        CheckpointError: The checkpoint to fine-tune cannot be used.
    """
    if not choice.init:
        return trained_kinds()[choice.policy]
    directory = Path(choice.init)
    name, kind = kind_of(directory)
    if not kind.trainer or kind.check_start is None:
        raise lacks(directory, name, "cannot be fine-tuned", lambda kind: kind.trainer and kind.check_start)
    if choice.train not in kind.trainable_parts:
        text = f"is '{name}': train must be one of {kind.trainable_parts}, is '{choice.train}'"
        raise CheckpointError(directory, "type", text)
    kind.check_start(directory)
    return kind
