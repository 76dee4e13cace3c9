# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrate the runtime monitor for a checkpoint on a robot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.spec.spec_actions import ActionSpec
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig, calibrate
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.policies.action_statistics import read_action_std
from lbm_policy_node.policies.load import load_policy


def calibrate_checkpoint(
    episodes: Iterable[ChunkEpisode],
    checkpoint: Path,
    action: ActionSpec,
    config: CalibrationConfig,
    *,
    source: str,
    folder: Path,
) -> Calibration:
    """Calibrate a checkpoint on a robot, from episodes of any origin.

    Args:
        episodes: Recorded or simulated.
        checkpoint: Folder of the policy: gives its id and the scale of its actions.
        action: Of the robot's spec: says which columns are compared.
        config: What to calibrate.
        source: Where the episodes are from, in words.
        folder: Where the weights of a trained score lie.
    """
    columns = ScoredColumns.from_spec(action)
    return calibrate(
        episodes,
        config,
        columns=columns,
        scale=ActionScale.from_statistics(read_action_std(checkpoint), columns),
        checkpoint_id=load_policy(checkpoint).spec.checkpoint_id,
        source=source,
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        folder=folder,
    )
