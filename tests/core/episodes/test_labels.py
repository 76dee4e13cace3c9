# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What led to a takeover is labelled so, and nothing else is relabelled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbm_policy_node.core.episodes.labels import (
    StepClass,
    StepMode,
    interventions,
    step_classes,
)

MS = 1_000_000
PRE = StepClass.PRE_INTERVENTION

modes_of_an_episode = st.lists(st.sampled_from([-1, 0, 0, 0, 1]), max_size=40).map(np.array)


@st.composite
def episodes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float]:
    """Modes, stamps with uneven gaps, and a window."""
    modes = draw(modes_of_an_episode)
    gaps_ms = draw(st.lists(st.integers(1, 200), min_size=len(modes), max_size=len(modes)))
    window_s = draw(st.sampled_from([0.0, 0.05, 0.3, 0.75, 100.0]))
    return modes, np.cumsum(np.array(gaps_ms, dtype=np.int64)) * MS, window_s


def naive_classes(modes: np.ndarray, stamps_ns: np.ndarray, window_s: float) -> list[int]:
    """The rule as Sirius states it: from every start of an intervention, walk back."""
    classes = modes.tolist()
    for start in range(1, len(modes)):
        if modes[start] != 1 or modes[start - 1] == 1:
            continue
        for back in reversed(range(start)):
            if modes[back] == 1 or stamps_ns[start] - stamps_ns[back] > window_s * 1e9:
                break
            if modes[back] == 0:
                classes[back] = -10
    return classes


@given(episodes())
def test_labels_are_those_of_walking_back_from_every_start(episode):
    modes, stamps_ns, window_s = episode
    assert step_classes(modes, stamps_ns, window_s=window_s).tolist() == naive_classes(*episode)


@given(episodes())
def test_human_and_demonstration_steps_keep_their_class(episode):
    modes, stamps_ns, window_s = episode
    classes = step_classes(modes, stamps_ns, window_s=window_s)
    kept = modes != StepMode.ROBOT
    assert classes.dtype == np.int8
    np.testing.assert_array_equal(classes[kept], modes[kept])
    assert set(classes[~kept].tolist()) <= {StepClass.ROBOT, PRE}
    np.testing.assert_array_equal(interventions(modes), classes == StepClass.INTERVENTION)


@given(episodes(), st.integers(-(10**17), 2 * 10**18))
def test_shifting_all_stamps_changes_nothing(episode, shift_ns):
    modes, stamps_ns, window_s = episode
    np.testing.assert_array_equal(
        step_classes(modes, stamps_ns, window_s=window_s),
        step_classes(modes, stamps_ns + shift_ns, window_s=window_s),
    )


@given(episodes(), st.floats(0, 10))
def test_a_longer_window_only_adds_steps(episode, more_s):
    modes, stamps_ns, window_s = episode
    short = step_classes(modes, stamps_ns, window_s=window_s) == PRE
    assert (step_classes(modes, stamps_ns, window_s=window_s + more_s) == PRE)[short].all()


@pytest.mark.parametrize(("rate_hz", "count"), [(10, 7), (20, 15), (100, 75)])
def test_the_default_window_is_the_published_one_at_every_rate(rate_hz: int, count: int):
    modes = np.repeat([0, 1], [100, 5])
    classes = step_classes(modes, np.arange(105) * (1000 * MS // rate_hz))
    assert np.flatnonzero(classes == PRE).tolist() == list(range(100 - count, 100))


def test_the_window_stops_at_the_intervention_before():
    modes = np.array([0, 0, 0, 1, 0, 0, 1, 0])
    classes = step_classes(modes, np.arange(8) * 100 * MS, window_s=0.2)
    assert classes.tolist() == [0, PRE, PRE, 1, PRE, PRE, 1, 0]


def test_an_operator_who_drives_from_the_first_step_took_nothing_over():
    assert step_classes(np.array([1, 1, 0]), np.arange(3)).tolist() == [1, 1, 0]


def test_an_empty_episode_has_no_labels():
    assert step_classes(np.array([], np.int8), np.array([], np.int64)).tolist() == []


def test_the_numbers_on_disk_are_stable():
    assert {mode.name: mode.value for mode in StepMode} == {"DEMO": -1, "ROBOT": 0, "HUMAN": 1}
    wanted = {"PRE_INTERVENTION": -10, "DEMO": -1, "ROBOT": 0, "INTERVENTION": 1}
    assert {kind.name: kind.value for kind in StepClass} == wanted


@pytest.mark.parametrize(
    ("modes", "stamps_ns", "window_s", "message"),
    [
        ([0, 2], [0, 1], 0.75, r"\[-1, 0, 1\].*\[2\]"),
        ([[0]], [0], 0.75, r"shape \(1, 1\)"),
        ([0, 1], [0], 0.75, "2 modes need as many stamps, got 1"),
        ([0, 1], [5, 5], 0.75, "step 1 has 5 after 5"),
        ([0, 1], [0.0, 0.1], 0.75, "integers"),
        ([0, 1], [0, 1], -0.1, "is -0.1"),
        ([0, 1], [0, 1], float("nan"), "is nan"),
    ],
)
def test_what_makes_no_sense_is_refused(modes, stamps_ns, window_s, message):
    with pytest.raises(ValueError, match=message):
        step_classes(np.array(modes), np.array(stamps_ns), window_s=window_s)
