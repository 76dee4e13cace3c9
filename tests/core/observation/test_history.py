# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The history serves observations at the trained spacing, and repeats the first one at the start."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_observation
from lbm_policy_node.core.observation.history import ObservationHistory
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.types import Observation

MS = 1_000_000


def observation(at_ms: int) -> Observation:
    return make_observation(stamp_ns=at_ms * MS)


def stamps(history: ObservationHistory) -> list[int]:
    window = history.window()
    assert not isinstance(window, Reason), window
    return [seen.stamp_ns // MS for seen in window]


def test_the_first_observation_is_repeated_at_the_start():
    history = ObservationHistory(3, 50 * MS)
    history.push(observation(1_000))
    assert stamps(history) == [1_000, 1_000, 1_000]
    history.push(observation(1_050))
    assert stamps(history) == [1_000, 1_000, 1_050]
    history.push(observation(1_100))
    history.push(observation(1_150))
    assert stamps(history) == [1_050, 1_100, 1_150]


def test_faster_observations_are_thinned_to_the_spacing():
    history = ObservationHistory(2, 50 * MS)
    for at_ms in range(0, 331, 33):
        history.push(observation(at_ms))
    assert stamps(history) == [264, 330]  # 264 is nearest to 280


def test_a_gap_is_a_reason_and_not_an_old_observation():
    history = ObservationHistory(2, 50 * MS)
    history.push(observation(0))
    history.push(observation(50))
    history.push(observation(500))
    window = history.window()
    assert isinstance(window, Reason) and window.code == ReasonCode.OBSERVATION_MISSING
    history.push(observation(550))
    assert stamps(history) == [500, 550]


def test_an_empty_history_is_a_reason():
    assert isinstance(ObservationHistory(1, MS).window(), Reason)


def test_the_same_stamp_twice_counts_once_and_an_older_one_starts_over():
    history = ObservationHistory(2, 50 * MS)
    for at_ms in (1_000, 1_050, 1_050):
        history.push(observation(at_ms))
    assert stamps(history) == [1_000, 1_050]
    history.push(observation(200))
    assert stamps(history) == [200, 200]
    history.reset()
    assert isinstance(history.window(), Reason)


@given(
    gaps=st.lists(st.integers(1, 120), min_size=1, max_size=40),
    n=st.integers(1, 4),
    step_ms=st.integers(20, 100),
)
def test_every_served_observation_is_in_its_place_or_before_the_first(gaps, n, step_ms):
    history = ObservationHistory(n, step_ms * MS)
    pushed = list(np.cumsum(gaps))
    for at_ms in pushed:
        history.push(observation(int(at_ms)))
    window = history.window()
    if isinstance(window, Reason):
        return
    for back, seen in zip(range(n - 1, -1, -1), window, strict=True):
        wanted = max(pushed[-1] - back * step_ms, pushed[0])
        assert abs(seen.stamp_ns / MS - wanted) <= step_ms / 2
