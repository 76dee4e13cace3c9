# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes as regression tests of a robot team; see docs/replay.md.

``from lbm_policy_node.testing import assert_replays, replay_episode``. The pytest plugin beside this file is
found by pytest in every test run where lbm_policy is installed: nothing heavy is imported before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lbm_policy_node.replay.candidate import Candidate
    from lbm_policy_node.replay.report import ReplayReport

__all__ = ["assert_replays", "load_candidate", "replay_episode"]

TOLERANCE = 1e-4


def load_candidate(checkpoint: Path | str, *, device: str = "cpu") -> Candidate:
    """Load a checkpoint, to replay several episodes with it.

    Raises:
        CheckpointError: The checkpoint is refused.
    """
    from lbm_policy_node.replay.candidate import Candidate

    return Candidate.load(Path(checkpoint), device=device)


def replay_episode(episode: Path | str, checkpoint: Candidate | Path | str) -> ReplayReport:
    """Ask a checkpoint again what it saw in an episode.

    Args:
        episode: Folder of the episode.
        checkpoint: Folder of the checkpoint, or what `load_candidate` returned.

    Raises:
        BagError: The episode cannot be read or replayed.
        CheckpointError: The checkpoint is refused, or does not fit the robot.
    """
    from lbm_policy_node.replay.run import replay

    loaded = load_candidate(checkpoint) if isinstance(checkpoint, Path | str) else checkpoint
    return replay(Path(episode), loaded)


def assert_replays(
    episode: Path | str,
    checkpoint: Candidate | Path | str,
    *,
    tolerance: float | None = TOLERANCE,
    **limits: Any,
) -> ReplayReport:
    """Assert that a checkpoint answers as recorded, and return the report.

    Args:
        episode: Folder of the episode.
        checkpoint: Folder of the checkpoint, or what `load_candidate` returned.
        tolerance: Largest difference of any action value, in its column's unit. Unlike in ``lbm replay`` it
            holds for every checkpoint; None asks nothing, where another one may answer otherwise.
        limits: max_mmd, max_human_error, no_new_alarms and allow_missing of `replay.limits.Limits`.

    Raises:
        AssertionError: With every reason: which chunk, which column, by how much.
    """
    from lbm_policy_node.replay.limits import Limits, judge

    asked: Mapping[str, Any] = {"tolerance": tolerance, **limits}
    required = Limits(**asked)
    report = replay_episode(episode, checkpoint)
    verdict = judge(report, required)
    if not verdict.passed:
        reasons = "\n  ".join(verdict.reasons)
        raise AssertionError(f"{report.episode_id} with checkpoint {report.checkpoint_id}:\n  {reasons}")
    return report
