# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The memory keeps what its rule values; rules are judged by what they reject."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbm_policy_node.data.datasets.memory import MEMORY_RULES, StoredEpisode, select_episodes

WORTH: dict[str, Callable[[StoredEpisode], Fraction | int]] = {
    "lfi": lambda stored: stored.human_share,
    "mfi": lambda stored: -stored.human_share,
    "oldest": lambda stored: stored.recorded_ns,
    "newest": lambda stored: -stored.recorded_ns,
}


@st.composite
def stored_episodes(draw: st.DrawFn) -> StoredEpisode:
    steps = draw(st.integers(1, 12))
    return StoredEpisode(
        episode=draw(st.integers(0, 1000)),
        recorded_ns=draw(st.integers(0, 20)),
        steps=steps,
        human_steps=draw(st.integers(0, steps)),
    )


memories = st.lists(stored_episodes(), max_size=20, unique_by=lambda stored: stored.episode)
caps = st.integers(1, 25)


def stored(episode: int, human: int, *, at: int = 0) -> StoredEpisode:
    return StoredEpisode(episode=episode, recorded_ns=at, steps=10, human_steps=human)


@pytest.mark.parametrize("rule", sorted(MEMORY_RULES))
@given(memory=memories, cap=caps)
def test_the_memory_is_filled_to_its_cap_in_the_given_order(rule, memory, cap):
    kept = select_episodes(memory, rule, cap)
    assert len(kept) == min(cap, len(memory))
    assert kept == [stored.episode for stored in memory if stored.episode in kept]


@pytest.mark.parametrize("rule", sorted(WORTH))
@given(memory=memories, cap=caps)
def test_nothing_rejected_is_worth_more_than_what_is_kept(rule, memory, cap):
    kept = set(select_episodes(memory, rule, cap))
    worth = WORTH[rule]
    rejected = [worth(stored) for stored in memory if stored.episode not in kept]
    remaining = [worth(stored) for stored in memory if stored.episode in kept]
    assert not rejected or max(rejected) <= min(remaining)


@pytest.mark.parametrize("rule", sorted(MEMORY_RULES))
@given(memory=memories, cap=caps, data=st.data())
def test_the_order_of_the_episodes_does_not_decide_which_stay(rule, memory, cap, data):
    shuffled = data.draw(st.permutations(memory))
    assert set(select_episodes(memory, rule, cap)) == set(select_episodes(shuffled, rule, cap))


@pytest.mark.parametrize("rule", sorted(MEMORY_RULES))
@given(memory=memories, cap=caps)
def test_a_smaller_memory_keeps_a_part_of_what_a_larger_one_keeps(rule, memory, cap):
    assert set(select_episodes(memory, rule, cap)) <= set(select_episodes(memory, rule, cap + 1))


def test_least_intervened_goes_first_as_the_paper_says_and_not_as_its_code_does():
    memory = [stored(0, 0), stored(1, 4), stored(2, 10), stored(3, 1)]
    assert select_episodes(memory, "lfi", 2) == [1, 2]
    assert select_episodes(memory, "mfi", 2) == [0, 3]


def test_oldest_and_newest_go_by_time_and_not_by_number():
    memory = [stored(5, 0, at=1), stored(1, 0, at=3), stored(3, 0, at=2)]
    assert select_episodes(memory, "oldest", 2) == [1, 3]
    assert select_episodes(memory, "newest", 2) == [5, 3]


@pytest.mark.parametrize("rule", sorted(WORTH))
def test_of_equals_the_smaller_number_goes_first(rule: str):
    assert select_episodes([stored(2, 3), stored(0, 3), stored(1, 3)], rule, 1) == [2]


def test_of_equally_intervened_episodes_the_older_goes_first():
    memory = [stored(0, 3, at=9), stored(1, 3, at=2), stored(2, 3, at=5)]
    assert select_episodes(memory, "lfi", 1) == select_episodes(memory, "mfi", 1) == [0]


def test_uniform_depends_on_the_seed_alone_and_spares_no_one():
    memory = [stored(number, number) for number in range(6)]
    kept = [tuple(select_episodes(memory, "uniform", 3, seed=seed)) for seed in range(40)]
    assert kept == [tuple(select_episodes(memory, "uniform", 3, seed=seed)) for seed in range(40)]
    assert len(set(kept)) > 5 and set(sum(kept, ())) == set(range(6))


def test_demonstrations_count_as_fully_human():
    demo = StoredEpisode.of(0, 0, np.full(8, -1))
    rescued = StoredEpisode.of(1, 0, np.array([0, 0, 1, 1, 0, 0, 0, 0]))
    assert (demo.human_share, rescued.human_share) == (1, Fraction(1, 4))
    assert select_episodes([rescued, demo], "lfi", 1) == [0]


@pytest.mark.parametrize(
    ("rule", "cap", "message"),
    [("lfu", 1, "is 'lfu'"), ("lfi", 0, "at least 1 episode, is 0"), ("oldest", -2, "is -2")],
)
def test_unknown_rules_and_impossible_caps_are_refused(rule: str, cap: int, message: str):
    with pytest.raises(ValueError, match=message):
        select_episodes([stored(0, 0)], rule, cap)


def test_two_episodes_of_one_number_are_refused():
    with pytest.raises(ValueError, match=r"more than one is \[4\]"):
        select_episodes([stored(4, 0), stored(4, 1)], "lfi", 1)


@pytest.mark.parametrize(("steps", "human"), [(0, 0), (3, 4), (3, -1)])
def test_an_episode_with_impossible_counts_is_refused(steps: int, human: int):
    with pytest.raises(ValueError, match="episode 7 needs at least 1 step"):
        StoredEpisode(episode=7, recorded_ns=0, steps=steps, human_steps=human)
