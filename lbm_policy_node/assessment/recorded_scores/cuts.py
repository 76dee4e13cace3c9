# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Up to which replan episodes are compared: without a cut, a detector can win by measuring the clock."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from lbm_policy_node.assessment.recorded_scores.scored import ScoredEpisode

CUTS = ("end", "time_matched", "first_half")


def groups(episodes: Sequence[ScoredEpisode]) -> dict[str, list[int]]:
    """Return the positions of each group's episodes, groups in order of appearance."""
    found: dict[str, list[int]] = {}
    for position, episode in enumerate(episodes):
        found.setdefault(episode.group, []).append(position)
    return found


def limits(episodes: Sequence[ScoredEpisode]) -> dict[str, int]:
    """Return each group's time limit in replans: the declared one, otherwise its longest episode."""
    return {
        group: max(episodes[i].limit or episodes[i].replans for i in members)
        for group, members in groups(episodes).items()
    }


def cut_replans(cut: str, episodes: Sequence[ScoredEpisode]) -> dict[str, int]:
    """Return up to which replan (exclusive) the episodes of each group are looked at.

    Args:
        cut: `end`: everything. `time_matched`: the group's shortest episode, so that elapsed time shows
            nothing within a group. `first_half`: half of the group's longest episode, rounded up.
        episodes: All episodes of the comparison; the cuts depend on which ones there are.
    """
    lengths = {group: [episodes[i].replans for i in members] for group, members in groups(episodes).items()}
    if cut == "end":
        return {group: max(values) for group, values in lengths.items()}
    if cut == "time_matched":
        return {group: min(values) for group, values in lengths.items()}
    if cut == "first_half":
        return {group: ceil(max(values) / 2) for group, values in lengths.items()}
    raise ValueError(f"cut is {cut!r}, expected one of {', '.join(CUTS)}")
