# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Two chunks are compared where they plan the same instants, and only what can be compared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation, Slerp

from helpers.builders import make_chunk
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.columns import RotationColumns, ScoredColumns
from lbm_policy_node.monitors.pair import NoOverlap, PairError, SamplePair, make_pair
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.registry import make_score, score_class, score_names
from lbm_policy_node.monitors.scores.score import ScoreConfig

STEP_NS = 33_333_333  # 30 Hz, rounded as a spec's step_s is
HORIZON = 16
COLUMNS = ScoredColumns(
    ("x", "y", "gripper", "qx", "qy", "qz", "qw"), (0, 1), (RotationColumns(3, "quaternion"),)
)
SCALE = ActionScale(COLUMNS.names, (0.5, 2.0, 1.0))
UNTRAINED = [name for name in score_names() if not score_class(name).trainer]


def plan(times_s: Array) -> Array:
    """What a policy that always has one and the same plan wants at these times, shape (..., 7)."""
    linear = np.stack([0.3 * times_s, np.sin(times_s), np.sign(np.sin(9 * times_s))], axis=-1)
    turn = Rotation.from_rotvec(times_s.reshape(-1, 1) * [0.3, -1.1, 0.4]).as_quat()
    return np.concatenate([linear, turn.reshape(*times_s.shape, 4)], axis=-1)


def consistent(start_ns: int, k: int = 3, **changes) -> ActionChunk:
    """A chunk of that policy; its samples differ by a constant each."""
    times_s = (start_ns + STEP_NS * np.arange(HORIZON)) * 1e-9
    samples = np.repeat(plan(times_s)[None], k, axis=0)
    samples[..., 0] += 0.1 * np.arange(k)[:, None]
    values = {
        "chunk_id": start_ns // STEP_NS,
        "observation_stamp_ns": start_ns,
        "start_ns": start_ns,
        "step_ns": STEP_NS,
        "samples": samples,
        "action_names": COLUMNS.action_names,
        "embedding": np.arange(3.0),
    }
    return make_chunk(**(values | changes))


def random_chunk(seed: int, start_ns: int, k: int = 4) -> ActionChunk:
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(k, HORIZON, 7))
    return consistent(start_ns, k, samples=samples, actions=rng.normal(size=(HORIZON, 7)))


def pair_of(previous: ActionChunk, current: ActionChunk, max_steps: int | None = None) -> SamplePair:
    return make_pair(previous, current, COLUMNS, SCALE, max_steps)


@given(late=st.integers(0, HORIZON - 1), seed=st.integers(0, 100))
def test_later_chunk_moves_the_overlap_by_exactly_so_many_rows(late, seed) -> None:
    previous, current = random_chunk(seed, 10**9), random_chunk(seed + 1, 10**9 + late * STEP_NS)
    pair = pair_of(previous, current)
    assert pair.n_steps == HORIZON - late
    assert pair.dim == pair.n_steps * 5
    divisor = np.array(SCALE.scale[:2])
    x = (current.samples[:, : pair.n_steps, :2] / divisor).reshape(4, -1)
    y = (previous.samples[:, late:, :2] / divisor).reshape(4, -1)
    expected = cdist(x, y, "sqeuclidean")
    for i in range(4):
        turn = Rotation.from_quat(current.samples[i, : pair.n_steps, 3:])
        for j in range(4):
            other = Rotation.from_quat(previous.samples[j, late:, 3:])
            expected[i, j] += ((turn.inv() * other).magnitude() ** 2).sum()
    assert pair.xy == pytest.approx(expected, rel=1e-9)


@given(late=st.floats(0.0, HORIZON - 1.01))
def test_policy_that_keeps_its_plan_agrees_with_itself_at_any_delay(late) -> None:
    pair = pair_of(consistent(10**9), consistent(10**9 + round(late * STEP_NS)))
    # y bends between two rows; the straight line between them is off by step^2 / 8 of its second derivative.
    # Up to 1 % of a step counts as none.
    moved = max((STEP_NS * 1e-9) ** 2 / 8 / 2.0, 0.01 * STEP_NS * 1e-9 * 2.0)
    assert np.sqrt(np.diagonal(pair.xy) / pair.n_steps).max() < moved
    assert pair.xy[0, 1] / pair.n_steps == pytest.approx((0.1 / 0.5) ** 2, rel=0.02)


@given(rows=st.integers(0, HORIZON - 2), fraction=st.floats(0.02, 0.98), seed=st.integers(0, 100))
def test_offset_between_two_rows_interpolates_the_previous_samples(rows, fraction, seed) -> None:
    late_ns = round((rows + fraction) * STEP_NS)
    share = late_ns / STEP_NS - rows
    previous, current = random_chunk(seed, 10**9, 1), random_chunk(seed + 1, 10**9 + late_ns, 1)
    pair = pair_of(previous, current)
    assert pair.n_steps == HORIZON - 1 - rows
    y = previous.samples[0, rows:]
    linear = ((1 - share) * y[:-1] + share * y[1:])[:, :2]
    turns = [Slerp([0, 1], Rotation.from_quat(y[i : i + 2, 3:]))(share) for i in range(pair.n_steps)]
    x = current.samples[0, : pair.n_steps]
    expected = (((x[:, :2] - linear) / SCALE.scale[:2]) ** 2).sum()
    expected += sum(
        (Rotation.from_quat(q[3:]).inv() * t).magnitude() ** 2 for q, t in zip(x, turns, strict=True)
    )
    assert pair.xy[0, 0] == pytest.approx(expected, rel=1e-9)


@given(rows=st.integers(1, HORIZON - 1), jitter_ns=st.integers(-300_000, 300_000))
def test_jitter_within_a_hundredth_of_a_step_costs_no_row(rows, jitter_ns) -> None:
    pair = pair_of(consistent(10**9), consistent(10**9 + rows * STEP_NS + jitter_ns))
    assert pair.n_steps == HORIZON - rows


@given(late=st.floats(0.0, HORIZON - 1.1), most=st.integers(1, 2 * HORIZON))
def test_limited_overlap_keeps_the_earliest_rows(late, most) -> None:
    previous, current = random_chunk(1, 10**9), random_chunk(2, 10**9 + round(late * STEP_NS))
    full, limited = pair_of(previous, current), pair_of(previous, current, most)
    assert limited.n_steps == min(most, full.n_steps)
    assert np.array_equal(limited.linear, full.linear[:, : limited.n_steps])
    assert np.array_equal(limited.turns, full.turns[:, : limited.n_steps])


def test_execution_horizon_moves_nothing_only_times_do() -> None:
    previous, current = random_chunk(1, 10**9), random_chunk(2, 10**9 + 4 * STEP_NS)
    expected = pair_of(previous, current)
    changed = pair_of(replace(previous, execution_horizon=8), replace(current, execution_horizon=2))
    assert np.array_equal(changed.xy, expected.xy)


@given(late=st.floats(HORIZON - 0.98, 1000.0))
def test_no_overlap_is_an_error_that_says_the_times_and_never_a_number(late) -> None:
    with pytest.raises(
        NoOverlap, match=r"starts at \d+\.\d+ s, but the previous .* covers 1\.000 to 1\.500 s"
    ):
        pair_of(random_chunk(1, 10**9), random_chunk(2, 10**9 + round(late * STEP_NS)))


@given(early_ns=st.integers(1, 10**9))
def test_chunks_out_of_order_are_refused(early_ns) -> None:
    with pytest.raises(PairError, match="before the previous one") as caught:
        pair_of(random_chunk(1, 10**9), random_chunk(2, 10**9 - early_ns))
    assert not isinstance(caught.value, NoOverlap)


@given(seed=st.integers(0, 100), late=st.floats(0.0, 10.0))
def test_gripper_never_matters(seed, late) -> None:
    rng = np.random.default_rng(seed)
    previous, current = random_chunk(1, 10**9), random_chunk(2, 10**9 + round(late * STEP_NS))
    expected = pair_of(previous, current)

    def gripped(chunk: ActionChunk) -> ActionChunk:
        samples, actions = chunk.samples.copy(), chunk.actions.copy()
        samples[..., 2], actions[..., 2] = rng.normal(0, 1e3, samples.shape[:2]), 1e9
        return replace(chunk, samples=samples, actions=actions)

    changed = pair_of(gripped(previous), gripped(current))
    for name in UNTRAINED:
        score = make_score(ScoreConfig(name, 1.0))
        assert score(changed) == score(expected)


@given(seed=st.integers(0, 100), late=st.floats(0.0, 10.0))
def test_sign_and_length_of_quaternions_never_matter(seed, late) -> None:
    rng = np.random.default_rng(seed)
    previous, current = random_chunk(1, 10**9), random_chunk(2, 10**9 + round(late * STEP_NS))
    expected = pair_of(previous, current)

    def stretched(chunk: ActionChunk) -> ActionChunk:
        samples = chunk.samples.copy()
        samples[..., 3:] *= rng.choice([-1.0, 1.0, 0.7, -2.0], (*samples.shape[:2], 1))
        return replace(chunk, samples=samples)

    changed = pair_of(stretched(previous), stretched(current))
    for name in set(UNTRAINED) - {"entropy", "output_variance"}:
        score = make_score(ScoreConfig(name, 1.0))
        assert score(changed) == pytest.approx(score(expected), rel=1e-9, abs=1e-12)
    near = consistent(10**9, 8)  # a mean rotation exists
    for name in ("entropy", "output_variance"):
        score = make_score(ScoreConfig(name))
        found, wanted = score(pair_of(near, stretched(near))), score(pair_of(near, near))
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("k", [1, 2, 7])
def test_previous_chunk_may_have_another_number_of_samples(k) -> None:
    pair = pair_of(random_chunk(1, 10**9, k), random_chunk(2, 10**9 + 4 * STEP_NS, 5))
    assert (pair.n_previous, pair.n_current) == (k, 5)
    assert pair.xx.shape == (5, 5) and pair.yy.shape == (k, k) and pair.xy.shape == (5, k)
    assert pair.executed_xy.shape == (5,) and pair.pooled.shape == (5 + k, 5 + k)
    assert pair.current_values.shape == (5, 12, 5)
    assert np.array_equal(pair.embedding, [0.0, 1.0, 2.0])
    assert all(np.isfinite(make_score(ScoreConfig(name))(pair)) for name in UNTRAINED)


def test_executed_chunk_is_the_previous_one_and_is_interpolated_too() -> None:
    previous = consistent(10**9)
    offset = previous.actions.copy()
    offset[:, 0] += 1.0
    for late in (4.0, 4.5):
        current = consistent(10**9 + round(late * STEP_NS))
        pair = pair_of(replace(previous, actions=offset), current)
        expected = pair.n_steps * ((1.0 - 0.1 * np.arange(3)) / 0.5) ** 2
        assert pair.executed_xy == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 2, 5])
@pytest.mark.parametrize("which", ["samples", "actions"])
def test_numbers_that_are_not_finite_are_refused_in_any_chunk_and_row(value, column, which) -> None:
    chunks = random_chunk(1, 10**9), random_chunk(2, 10**9 + 4 * STEP_NS)
    for bad in (0, 1):
        array = getattr(chunks[bad], which).copy()
        array[-1, ..., column] = value
        changed = [replace(chunk, **{which: array}) if i == bad else chunk for i, chunk in enumerate(chunks)]
        with pytest.raises(PairError, match="not finite"):
            pair_of(changed[0], changed[1])


def with_samples(chunk: ActionChunk, columns, value) -> ActionChunk:
    samples = chunk.samples.copy()
    samples[..., columns] = value
    return replace(chunk, samples=samples)


FIRST, SECOND = random_chunk(1, 10**9), random_chunk(2, 10**9 + 5 * STEP_NS // 2)


@pytest.mark.parametrize(
    ("previous", "current", "message"),
    [
        (FIRST, with_samples(SECOND, slice(3, 7), 0.0), "no rotation"),
        (FIRST, with_samples(SECOND, slice(3, 7), 1e200), "no rotation"),
        (FIRST, with_samples(SECOND, 0, 1e7), "no action"),
        (FIRST, with_samples(SECOND, 0, 1e308), "no action"),
        (with_samples(FIRST, 0, 1e308), SECOND, "no action"),
        (FIRST, replace(SECOND, step_ns=STEP_NS + 1), "rows of 33333334 ns"),
        (FIRST, replace(SECOND, samples=SECOND.samples[:, :9], actions=SECOND.actions[:9]), "has 9 rows"),
        (FIRST, replace(SECOND, samples=SECOND.samples[:0]), "carries no samples"),
        (replace(FIRST, samples=FIRST.samples[:0]), SECOND, "carries no samples"),
        (FIRST, replace(SECOND, action_names=tuple("abcdefg")), r"has the columns \['a'"),
    ],
)
def test_chunks_that_cannot_be_compared_are_refused_with_the_reason(previous, current, message) -> None:
    with pytest.raises(PairError, match=message) as caught:
        pair_of(previous, current)
    assert not isinstance(caught.value, NoOverlap)


def test_scale_of_other_columns_is_refused() -> None:
    with pytest.raises(PairError, match="the scale is for"):
        make_pair(FIRST, SECOND, COLUMNS, ActionScale(("x", "y"), (1.0, 1.0)))


def test_overlap_of_less_than_one_row_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="at least 1, is 0"):
        pair_of(FIRST, SECOND, 0)
