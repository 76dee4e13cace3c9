# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a running statistic shows over an episode, offline, by the code that runs live."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode
from lbm_policy_node.core.types import Array
from lbm_policy_node.monitors.statistics import STATISTICS, fit_standardisation, trace

ELAPSED = "elapsed"
"""The detector that only looks at the clock: every other one has to be read beside it."""
KINDS: tuple[str, ...] = (*STATISTICS, ELAPSED)


def traces(kind: str, episodes: Sequence[ScoredEpisode], calibration: Sequence[ScoredEpisode]) -> list[Array]:
    """Return the statistic after each replan of each episode.

    Args:
        kind: `elapsed` (replans so far), or a statistic of monitors/statistics.py on standardised scores.
        episodes: What to judge.
        calibration: Whose scores give mean and spread; successes.

    Returns:
        One array of shape (replans,) per episode. A statistic is -inf at the first replan, which has no
        predecessor, so that nothing can raise an alarm there.

    Raises:
        ConstantScoreError: The calibration scores do not vary.
        ValueError: There is no such kind, or no calibration score.
    """
    if kind == ELAPSED:
        return [np.arange(1.0, episode.replans + 1) for episode in episodes]
    steps = np.concatenate([episode.compared for episode in calibration] or [np.empty(0)])
    if not len(steps):
        raise ValueError("no success has a second replan: there is nothing to take mean and spread from")
    standardise = fit_standardisation(steps, score=calibration[0].score, statistic=kind)
    return [
        np.concatenate([[-inf], trace(kind, [standardise(float(score)) for score in episode.compared])])
        for episode in episodes
    ]
