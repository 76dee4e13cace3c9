# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Recorded scores for the tests of offline statistics."""

import sys
from pathlib import Path

import pytest

from lbm_policy_node.assessment.score_files import read_scores
from lbm_policy_node.assessment.scored import ScoredEpisode

sys.path.insert(0, str(Path(__file__).parent))  # for the helper module beside this file

ROLLOUTS = Path(__file__).parents[1] / "assets" / "pi0_libero10_rollouts"


@pytest.fixture(scope="session")
def score_files() -> list[Path]:
    """Two tasks of the public rollouts."""
    return sorted(ROLLOUTS.glob("*.csv"))


@pytest.fixture(scope="session")
def recorded(score_files) -> list[ScoredEpisode]:
    """Their episodes, 100 in all."""
    return [episode for path in score_files for episode in read_scores(path)["chunk_mse"]]
