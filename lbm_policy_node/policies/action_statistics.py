# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How much the actions that a checkpoint was trained on vary, read from its processor files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.extensions import Extensions
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, read_json
from lbm_policy_node.policies.policy import FloatArray

if TYPE_CHECKING:
    from torch import Tensor


def read_action_std(path: str | Path) -> FloatArray:
    """Read the standard deviation of the actions, in their physical units.

    Of relative blocks it is that of the relative values. Where a checkpoint only has the range (min and max,
    or quantiles), which its actions are normalised with, half of that range takes its place.

    Returns:
        Shape (action_dim,); (horizon, action_dim) where each future step has its own statistics.

    Raises:
        CheckpointError: The policy has no action statistics (a weightless one), or a file is damaged.
    """
    directory = Path(path)
    file = directory / CONFIG_FILE
    config = read_json(file)
    kind = config.get("type")
    if kind in ("pi0", "pi05"):
        from lbm_policy_node.policies.pi0.config import Pi0Config
        from lbm_policy_node.policies.pi0.processors import read_pi0_processors

        stats = read_pi0_processors(directory, Pi0Config.from_dict(config, str(file))).outputs.stats
        return _spread(directory, stats.get(ACTION_KEY, {}))
    if kind != "multi_task_dit":
        raise CheckpointError(
            file, "type", f"is {kind!r}, which has no action statistics to scale a score with"
        )
    from lbm_policy_node.policies.checkpoint.processor_files import read_processors  # here: it needs torch

    extensions = Extensions.from_dict(config.get("lbm_extensions", {}), str(file))
    steps = config.get("horizon") if extensions.per_timestep_action_stats else None
    return _spread(directory, read_processors(directory, steps).outputs.stats.get(ACTION_KEY, {}))


def _spread(directory: Path, stats: Mapping[str, Tensor]) -> FloatArray:
    """The standard deviation, or half of a range."""
    if "std" in stats:
        return stats["std"].numpy().astype(np.float64)
    for low, high in (("min", "max"), ("q01", "q99"), ("q10", "q90")):
        if low in stats and high in stats:
            return (stats[high] - stats[low]).numpy().astype(np.float64) / 2.0
    raise CheckpointError(directory, f"{ACTION_KEY}.std", f"is missing; there are {sorted(stats)}")
