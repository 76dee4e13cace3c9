# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded scores for the tests of offline statistics."""

from pathlib import Path

import pytest

from helpers.places import ASSETS
from lbm_policy_node.assessment.recorded_scores.score_files import read_scores
from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode

ROLLOUTS = ASSETS / "pi0_libero10_rollouts"


@pytest.fixture(scope="session")
def score_files() -> list[Path]:
    """Two tasks of the public rollouts."""
    return sorted(ROLLOUTS.glob("*.csv"))


@pytest.fixture(scope="session")
def recorded(score_files) -> list[ScoredEpisode]:
    """Their episodes, 100 in all."""
    return [episode for path in score_files for episode in read_scores(path)["chunk_mse"]]
