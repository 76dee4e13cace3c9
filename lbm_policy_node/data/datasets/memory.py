# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which episodes stay when the memory is full; each rule is defined by what it rejects first.

Sirius (arXiv:2211.08416) rejects the least-intervened trajectories first (LFI) and compares with four other
rules. Its released code has LFI and MFI the other way round: it sorts by the robot's share, descending, and
keeps the front. Here the names mean what the paper says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lbm_policy_node.core.episodes.labels import StepMode
from lbm_policy_node.core.types import Array

MEMORY_RULES = {
    "lfi": "reject the least-intervened first",
    "mfi": "reject the most-intervened first",
    "oldest": "reject the oldest first (FIFO)",
    "newest": "reject the newest first (FILO)",
    "uniform": "reject at random, by seed",
}


@dataclass(frozen=True, kw_only=True)
class StoredEpisode:
    """What decides whether an episode stays.

    Attributes:
        episode: Its number, unique in the memory.
        recorded_ns: When it began, or any other number that grows with the order of recording.
        steps: How many steps it has, above 0.
        human_steps: How many of them the operator drove, demonstrating or correcting.

    Raises:
        ValueError: If the numbers of steps do not fit together.
    """

    episode: int
    recorded_ns: int
    steps: int
    human_steps: int

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 <= self.human_steps <= self.steps:
            raise ValueError(
                f"episode {self.episode} needs at least 1 step and 0 to {self.steps} human ones, "
                f"has {self.steps} and {self.human_steps}"
            )

    @classmethod
    def of(cls, episode: int, recorded_ns: int, modes: Array) -> StoredEpisode:
        """Count the steps of an episode; modes is a `StepMode` per step, (T,). Demonstrations are human."""
        human = np.count_nonzero(np.asarray(modes) != StepMode.ROBOT)
        return cls(episode=episode, recorded_ns=recorded_ns, steps=len(modes), human_steps=int(human))

    @property
    def human_share(self) -> Fraction:
        """Human steps per step, exact, so that equal shares are equal."""
        return Fraction(self.human_steps, self.steps)


def select_episodes(episodes: Sequence[StoredEpisode], rule: str, cap: int, *, seed: int = 0) -> list[int]:
    """Choose the episodes that stay.

    Which ones does not depend on the order of `episodes`. Of equals the older one is rejected first, and of
    episodes of one instant the one with the smaller number.

    Args:
        episodes: The memory.
        rule: A key of `MEMORY_RULES`.
        cap: Most episodes to keep, at least 1.
        seed: Decides "uniform"; the other rules ignore it.

    Returns:
        The numbers of the episodes that stay, in the order of `episodes`.

    Raises:
        ValueError: If the rule is unknown, the cap is below 1, or two episodes have one number.
    """
    if rule not in MEMORY_RULES:
        raise ValueError(f"the memory rule must be one of {sorted(MEMORY_RULES)}, is '{rule}'")
    if cap < 1:
        raise ValueError(f"the cap must be at least 1 episode, is {cap}; nothing would be left to learn from")
    numbers = Counter(stored.episode for stored in episodes)
    twice = sorted(number for number, count in numbers.items() if count > 1)
    if twice:
        raise ValueError(f"episodes must have distinct numbers; more than one is {twice}")
    rejected = {stored.episode for stored in _rejection_order(episodes, rule, seed)[:-cap]}
    return [stored.episode for stored in episodes if stored.episode not in rejected]


def _rejection_order(episodes: Sequence[StoredEpisode], rule: str, seed: int) -> list[StoredEpisode]:
    """All episodes, the first to go first."""
    by_age = sorted(episodes, key=lambda stored: (stored.recorded_ns, stored.episode))
    if rule == "lfi":
        return sorted(by_age, key=lambda stored: stored.human_share)
    if rule == "mfi":
        return sorted(by_age, key=lambda stored: -stored.human_share)
    if rule == "newest":
        return sorted(by_age, key=lambda stored: -stored.recorded_ns)
    if rule == "uniform":
        return [by_age[i] for i in np.random.default_rng(seed).permutation(len(by_age))]
    return by_age
