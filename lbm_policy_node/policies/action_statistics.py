# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How much the actions that a checkpoint was trained on vary, read from its processor files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY
from lbm_policy_node.policies.policy import FloatArray
from lbm_policy_node.policies.registry import kind_of, lacks

if TYPE_CHECKING:
    from torch import Tensor


def read_action_std(path: str | Path) -> FloatArray:
    """Read the standard deviation of the actions, in their physical units.

    Of relative blocks it is that of the relative values. Where a checkpoint only has the range (min and max,
    or quantiles), which its actions are normalised with, half of that range takes its place.

    Returns:
        Shape (action_dim,); (horizon, action_dim) where each future step has its own statistics.

    Raises:
        CheckpointError: The kind of policy has no action statistics, or a file is damaged.
    """
    directory = Path(path)
    name, kind = kind_of(directory)
    if kind.action_std is None:
        text = "has no action statistics to scale a score with"
        raise lacks(directory, name, text, lambda kind: kind.action_std)
    return kind.action_std(directory)


def spread(directory: Path, stats: Mapping[str, Mapping[str, Tensor]]) -> FloatArray:
    """Return the spread of the actions from a checkpoint's statistics.

    Args:
        directory: The checkpoint, for messages.
        stats: Feature to the name of a statistic to its values.

    Raises:
        CheckpointError: There is neither a standard deviation nor a range.
    """
    action = stats.get(ACTION_KEY, {})
    if "std" in action:
        return action["std"].numpy().astype(np.float64)
    for low, high in (("min", "max"), ("q01", "q99"), ("q10", "q90")):
        if low in action and high in action:
            return (action[high] - action[low]).numpy().astype(np.float64) / 2.0
    raise CheckpointError(directory, f"{ACTION_KEY}.std", f"is missing; there are {sorted(action)}")
