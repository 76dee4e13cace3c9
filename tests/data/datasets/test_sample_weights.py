# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights are sound for every mixture of classes, and give each class the share that the rule promises."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lbm_policy_node.core.episodes.labels import StepClass
from lbm_policy_node.data.datasets.sample_weights import (
    WEIGHT_RULES,
    chunk_weights,
    sirius_shares,
    step_weights,
)

PRE, DEMO, ROBOT, HUMAN = -10, -1, 0, 1

counts = st.tuples(*[st.one_of(st.just(0), st.integers(1, 3), st.integers(1, 2000))] * 4).filter(any)
"""Of pre-intervention, demonstration, robot and intervention steps."""


def mixture(numbers: tuple[int, ...]) -> np.ndarray:
    classes = np.repeat([PRE, DEMO, ROBOT, HUMAN], numbers)
    return np.random.default_rng(0).permutation(classes)


def share(classes: np.ndarray, weights: np.ndarray, kind: int) -> float:
    return float(weights[classes == kind].sum() / weights.sum())


@pytest.mark.parametrize("rule", sorted(WEIGHT_RULES))
@given(numbers=counts)
@example(numbers=(0, 1, 0, 0))
@example(numbers=(10, 600, 290, 100))  # 60 % demonstrations: the published robot weight is negative
@example(numbers=(0, 600, 400, 0))
@example(numbers=(3, 0, 0, 0))
def test_weights_are_finite_and_not_negative_with_a_mean_of_one(rule, numbers):
    weights = step_weights(mixture(numbers), rule)
    assert np.isfinite(weights).all() and (weights >= 0).all()
    assert weights.mean() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("rule", sorted(WEIGHT_RULES))
@given(numbers=counts)
def test_steps_of_one_class_weigh_the_same(rule, numbers):
    classes = mixture(numbers)
    weights = step_weights(classes, rule)
    assert all(np.ptp(weights[classes == kind]) == 0 for kind in set(classes.tolist()))


@given(st.tuples(*[st.integers(1, 2000)] * 4))
@example((1, 999, 1, 1))
def test_where_all_classes_occur_each_gets_its_share(numbers):
    classes = mixture(numbers)
    weights = step_weights(classes, "sirius")
    demo = min(numbers[1] / sum(numbers), 0.498)
    assert share(classes, weights, HUMAN) == pytest.approx(0.5)
    assert share(classes, weights, PRE) == pytest.approx(0.002)
    assert share(classes, weights, DEMO) == pytest.approx(demo)
    assert share(classes, weights, ROBOT) == pytest.approx(0.498 - demo, abs=1e-12)


def test_published_weights_come_out_where_they_are_defined():
    classes = np.repeat([PRE, DEMO, ROBOT, HUMAN], [100, 300, 400, 200])
    weights = dict(zip(classes.tolist(), step_weights(classes, "sirius"), strict=True))
    expected = {PRE: 0.002 / 0.1, DEMO: 1.0, ROBOT: (1 - 0.5 - 0.3 - 0.002) / 0.4, HUMAN: 0.5 / 0.2}
    assert weights == pytest.approx(expected)


@pytest.mark.parametrize("demos", [0.498, 0.499, 0.6, 0.99])
def test_above_the_limit_demonstrations_take_the_robots_share_and_not_more(demos: float):
    count = round(10_000 * demos)
    shares = sirius_shares(mixture((10, count, 9_960 - count, 30)))
    assert shares[StepClass.ROBOT] == pytest.approx(0, abs=1e-12) and shares[StepClass.ROBOT] >= 0
    assert shares[StepClass.DEMO] == pytest.approx(0.498)
    assert shares[StepClass.INTERVENTION] == pytest.approx(0.5)


@given(counts)
def test_classes_that_do_not_occur_get_nothing_and_the_others_all(numbers):
    shares = sirius_shares(mixture(numbers))
    assert sum(shares.values()) == pytest.approx(1)
    present = dict(zip(StepClass, numbers, strict=True))
    assert all(shares[kind] == 0 for kind, number in present.items() if not number)


@given(st.integers(1, 500), st.integers(1, 500))
def test_iwr_makes_interventions_half_of_the_data(human, rest):
    classes = np.repeat([HUMAN, ROBOT, PRE], [human, rest, 1])
    weights = step_weights(classes, "iwr")
    assert share(classes, weights, HUMAN) == pytest.approx(0.5)
    assert weights[0] / weights[-1] == pytest.approx((rest + 1) / human)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(1, 8), st.integers(0, 3))
def test_each_step_of_a_chunk_carries_its_own_weight(lengths, horizon, behind):
    last = np.cumsum(lengths)
    starts, ends = np.repeat(last - lengths, lengths), np.repeat(last, lengths)
    weights = np.arange(last[-1], dtype=float)  # a step's weight tells which step it is
    offsets = np.arange(-behind, horizon - behind)
    chunks = chunk_weights(weights, np.arange(last[-1]), starts, ends, offsets)
    assert chunks.shape == (last[-1], horizon) and chunks.dtype == np.float32
    for step in range(last[-1]):
        episode = range(starts[step], ends[step])
        wanted = [min(max(step + offset, episode[0]), episode[-1]) for offset in offsets]
        assert chunks[step].tolist() == wanted


def test_a_chunk_that_reaches_into_an_intervention_changes_its_weight_there():
    classes = np.array([ROBOT, PRE, HUMAN, HUMAN])
    weights = step_weights(classes, "sirius")
    ends = np.full(4, 4)
    chunk = chunk_weights(weights, np.array([0]), np.zeros(4, int), ends, np.arange(4))[0]
    np.testing.assert_allclose(chunk, weights, rtol=1e-6)
    assert chunk[1] < 0.05 < chunk[2]


@pytest.mark.parametrize(
    ("classes", "rule", "message"),
    [
        ([0, 1], "sirious", r"\['iwr', 'none', 'sirius'\], is 'sirious'"),
        ([0, 7], "sirius", r"found \[7\]"),
        ([], "none", "at least one step"),
    ],
)
def test_unknown_rules_and_classes_are_refused(classes, rule, message):
    with pytest.raises(ValueError, match=message):
        step_weights(np.array(classes), rule)
