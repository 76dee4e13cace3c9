# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every score against an independent computation by scikit-learn or SciPy, random and degenerate samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from scipy.spatial.transform import Rotation
from scipy.stats import energy_distance, entropy
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KernelDensity

from helpers.builders import STEP_NS, make_chunk
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.columns import RotationColumns, ScoredColumns
from lbm_policy_node.monitors.pair import SamplePair, make_pair
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.registry import make_score, score_class, score_names
from lbm_policy_node.monitors.scores.score import ScoreConfig

COLUMNS = ScoredColumns(("x", "y", "z", "gripper"), (0, 1, 2))
POSE = ScoredColumns(("x", "y", "z", "a", "b", "c", "d"), (0, 1, 2), (RotationColumns(3, "quaternion"),))
SCALE = ActionScale(COLUMNS.names, (0.5, 2.0, 0.1))
UNTRAINED = [name for name in score_names() if not score_class(name).trainer]
COMPARING = [name for name in UNTRAINED if name not in ("output_variance", "entropy")]
ROWS = 5  # overlap: horizon 8, 3 rows later


def chunk(samples: Array, start: int = 0, executed: Array | None = None, columns=COLUMNS) -> ActionChunk:
    return make_chunk(executed, samples=samples, start_ns=start * STEP_NS, action_names=columns.action_names)


def draw(k: int, seed: int, spread: float = 1.0, shift: float = 0.0) -> Array:
    return np.random.default_rng(seed).normal(shift, spread, (k, 8, 4))


def pair_of(previous: Array, current: Array, executed: Array | None = None) -> SamplePair:
    return make_pair(chunk(previous, 0, executed), chunk(current, 3), COLUMNS, SCALE)


def flat(previous: Array, current: Array) -> tuple[Array, Array]:
    """The overlap of both as points: current x, previous y."""
    divisor = np.array(SCALE.scale)
    x, y = current[:, :ROWS, :3] / divisor, previous[:, 3:, :3] / divisor
    return x.reshape(len(x), -1), y.reshape(len(y), -1)


def score(name: str, pair: SamplePair, floor: float = 0.0, **parameters: float) -> float:
    return make_score(ScoreConfig(name, floor, parameters))(pair)


SETS = [
    pytest.param(draw(32, 1), draw(32, 2), id="same distribution"),
    pytest.param(draw(32, 1), draw(32, 2, shift=0.7), id="shifted"),
    pytest.param(draw(32, 1, 1e-3), draw(32, 2, 1e-3, shift=3.0), id="tight and far apart"),
    pytest.param(draw(8, 1), draw(20, 2, 2.0), id="different numbers"),
    pytest.param(draw(1, 1), draw(1, 2), id="one sample each"),
    pytest.param(np.repeat(draw(1, 1), 6, 0), draw(6, 2), id="previous samples equal"),
    pytest.param(np.repeat(draw(1, 1), 6, 0), np.repeat(draw(1, 2), 6, 0), id="two points"),
]


def reference_mmd(x: Array, y: Array, gamma: float) -> float:
    return (
        rbf_kernel(x, x, gamma).mean() + rbf_kernel(y, y, gamma).mean() - 2 * rbf_kernel(x, y, gamma).mean()
    )


def median_squared(x: Array, y: Array) -> float:
    distances = pdist(np.concatenate([x, y]), "sqeuclidean")
    return float(np.median(distances[distances > 1e-12]))


@pytest.mark.parametrize(("previous", "current"), SETS)
def test_mmd_is_scikit_learns(previous, current) -> None:
    x, y = flat(previous, current)
    pair, median = pair_of(previous, current), median_squared(x, y)
    assert score("mmd_dim", pair) == pytest.approx(reference_mmd(x, y, 1 / x.shape[1]), abs=1e-9)
    assert score("mmd_median", pair) == pytest.approx(reference_mmd(x, y, 1 / (2 * median)), abs=1e-9)
    for floor in (0.0, 0.1 * median, 10.0 * median):
        gamma = 1 / (2 * max(median, floor))
        assert score("mmd_floored", pair, floor) == pytest.approx(reference_mmd(x, y, gamma), abs=1e-9)


def kde_log_ratio(at: Array, own: Array, other: Array, bandwidth: float) -> float:
    logs = [KernelDensity(bandwidth=bandwidth).fit(points).score_samples(at) for points in (own, other)]
    return float(np.mean(logs[0] - logs[1]))


@pytest.mark.parametrize(("previous", "current"), SETS)
@pytest.mark.parametrize("floor", [0.0, 500.0])
def test_kl_is_that_of_scikit_learns_density_estimates(previous, current, floor) -> None:
    x, y = flat(previous, current)
    largest = np.linalg.eigvalsh(np.cov(np.concatenate([x, y]), rowvar=False))[-1]
    bandwidth = math.sqrt(max(largest, floor / (2 * x.shape[1])))
    pair = pair_of(previous, current)
    assert score("kl_reverse", pair, floor) == pytest.approx(kde_log_ratio(y, y, x, bandwidth), abs=1e-8)
    assert score("kl_forward", pair, floor) == pytest.approx(kde_log_ratio(x, x, y, bandwidth), abs=1e-8)


@pytest.mark.parametrize(("previous", "current"), SETS)
def test_energy_is_that_of_scipys_distances(previous, current) -> None:
    x, y = flat(previous, current)
    expected = 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
    assert score("energy", pair_of(previous, current)) == pytest.approx(expected, abs=1e-6)


def test_energy_of_one_value_is_the_square_of_scipys() -> None:
    columns = ScoredColumns(("x",), (0,))
    x, y = draw(30, 1)[:, :1, :1], draw(20, 2, 2.0)[:, :1, :1]
    first, second = chunk(y, columns=columns), chunk(x, columns=columns)
    pair = make_pair(first, second, columns, ActionScale.unit(columns))
    assert score("energy", pair) == pytest.approx(energy_distance(x.ravel(), y.ravel()) ** 2, abs=1e-9)


@pytest.mark.parametrize(("previous", "current"), SETS)
def test_single_sample_and_minimum_are_mean_squared_differences(previous, current) -> None:
    x, y = flat(previous, current)
    assert score("overlap_error", pair_of(previous, current)) == pytest.approx(np.mean((x[0] - y[0]) ** 2))
    executed = draw(1, 9)
    point = flat(executed, current)[1]
    expected = cdist(x, point, "sqeuclidean").min() / x.shape[1]
    assert score("min_distance", pair_of(previous, current, executed[0])) == pytest.approx(expected)


@pytest.mark.parametrize(("previous", "current"), SETS)
def test_variance_and_entropy_are_those_of_the_current_samples(previous, current) -> None:
    x, _ = flat(previous, current)
    pair = pair_of(previous, current)
    assert score("output_variance", pair) == pytest.approx(x.var(axis=0).mean(), abs=1e-12)
    expected = 0.0
    for column in x.T:
        steps = math.ceil(np.ptp(column) / 0.3) + 1
        edges = column.mean() + 0.3 * (np.arange(-steps, steps + 2) - 0.5)
        expected += entropy(np.histogram(column, edges)[0])
    assert score("entropy", pair, bin_width=0.3) == pytest.approx(expected, abs=1e-9)


def test_entropy_has_its_known_extremes() -> None:
    tight = np.repeat(draw(1, 1), 16, 0) + draw(16, 2, 1e-4)
    assert score("entropy", pair_of(tight, tight)) == 0.0
    apart = np.arange(16.0)[:, None, None] * np.ones((8, 4))
    assert score("entropy", pair_of(apart, apart)) == pytest.approx(3 * ROWS * math.log(16))


@pytest.mark.parametrize("name", UNTRAINED)
@pytest.mark.parametrize("k", [1, 16])
@pytest.mark.parametrize("floor", [0.0, 1.0])
def test_equal_samples_agree(name, k, floor) -> None:
    same = np.repeat(draw(1, 1), k, 0)
    later = np.concatenate([same[:, 3:], same[:, :3]], axis=1)
    assert score(name, pair_of(same, later), floor) == pytest.approx(0.0, abs=1e-25)


@pytest.mark.parametrize("name", UNTRAINED)
def test_rounding_of_a_float32_policy_is_no_disagreement(name) -> None:
    same = np.repeat(draw(1, 1), 8, 0)
    later = np.concatenate([same[:, 3:], same[:, :3]], axis=1).astype(np.float32)
    assert score(name, pair_of(same, later)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", UNTRAINED)
@pytest.mark.parametrize("distance", [1e-7, 1e-3, 1.0, 1e3, 1e4])
def test_scores_are_finite_at_every_scale(name, distance) -> None:
    previous, current = draw(8, 1, distance), draw(8, 2, distance, shift=distance)
    for sets in ((previous, current), (previous, current * 0), (previous[:1], current[:1])):
        assert math.isfinite(score(name, pair_of(*sets)))


@pytest.mark.parametrize("name", COMPARING)
def test_disagreement_raises_the_score(name) -> None:
    previous, current = draw(32, 1, 0.3), draw(32, 2, 0.3)
    assert score(name, pair_of(previous, current + 1.0), 1.0) > score(name, pair_of(previous, current), 1.0)


@pytest.mark.parametrize("name", ["output_variance", "entropy"])
def test_spread_raises_the_score(name) -> None:
    previous = draw(32, 1)
    wide, narrow = pair_of(previous, draw(32, 2, 0.3)), pair_of(previous, draw(32, 2, 0.03))
    assert score(name, wide) > score(name, narrow)


def test_floor_keeps_tiny_noise_from_looking_like_disagreement() -> None:
    previous, current = draw(32, 1, 1e-3), draw(32, 2, 1e-3, shift=1e-3)
    pair, as_large = pair_of(previous, current), pair_of(1e3 * previous, 1e3 * current)
    assert score("mmd_median", pair) == pytest.approx(score("mmd_median", as_large), rel=1e-6)
    floor = as_large.median_squared_distance
    assert score("mmd_floored", pair, floor) < 1e-3 * score("mmd_floored", as_large, floor)
    assert score("kl_reverse", pair, floor) < 1e-3 * score("kl_reverse", as_large, floor)


@pytest.mark.parametrize("name", ["mmd_floored", "mmd_median", "mmd_dim", "energy"])
@given(seed=st.integers(0, 1000), k=st.integers(1, 20), spread=st.sampled_from([0.01, 1.0, 30.0]))
def test_symmetric_scores_do_not_care_which_chunk_was_first(name, seed, k, spread) -> None:
    first, second = draw(k, seed), draw(8, seed + 1, spread)
    one = make_pair(chunk(first), chunk(second), COLUMNS, SCALE)
    other = make_pair(chunk(second), chunk(first), COLUMNS, SCALE)
    assert score(name, one, 3.0) == pytest.approx(score(name, other, 3.0), rel=1e-9, abs=1e-12)
    assert score("kl_reverse", one) == pytest.approx(score("kl_forward", other), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", UNTRAINED)
@given(seed=st.integers(0, 1000), order=st.permutations(range(10)), other=st.permutations(range(10)))
def test_order_of_the_samples_matters_to_the_single_sample_error_alone(name, seed, order, other) -> None:
    previous, current, executed = draw(10, seed), draw(10, seed + 1), draw(1, seed + 2)[0]
    if name == "overlap_error":  # sample 0 is the one to execute: it stays first
        order, other = [0, *(i for i in order if i)], [0, *(i for i in other if i)]
    value = score(name, pair_of(previous[order], current[other], executed), 1.0)
    assert value == pytest.approx(score(name, pair_of(previous, current, executed), 1.0), rel=1e-9)


def test_rotations_count_by_their_angle() -> None:
    rng = np.random.default_rng(5)
    samples = [np.concatenate([draw(6, s)[:, :, :3], rng.normal(size=(6, 8, 4))], 2) for s in (1, 2)]
    first, second = (chunk(s, start, columns=POSE) for s, start in zip(samples, (0, 3), strict=True))
    scale = ActionScale(POSE.names, (1.0, 1.0, 1.0, 2.0))
    pair = make_pair(first, second, POSE, scale)
    x, y = samples[1][:, :ROWS], samples[0][:, 3:]
    expected = cdist(x[..., :3].reshape(6, -1), y[..., :3].reshape(6, -1), "sqeuclidean")
    for i in range(6):
        for j in range(6):
            turn = Rotation.from_quat(x[i, :, 3:]).inv() * Rotation.from_quat(y[j, :, 3:])
            expected[i, j] += np.sum((turn.magnitude() / 2.0) ** 2)
    assert pair.xy == pytest.approx(expected, abs=1e-9)
    assert pair.dim == ROWS * 6
    assert score("mmd_dim", pair) == pytest.approx(
        np.exp(-pair.xx / 30).mean() + np.exp(-pair.yy / 30).mean() - 2 * np.exp(-expected / 30).mean()
    )


def test_spread_of_rotations_is_taken_around_their_mean() -> None:
    rng = np.random.default_rng(6)
    base = Rotation.from_quat(rng.normal(size=(8, 4)))
    spins = rng.normal(0.0, 0.1, (10, 8, 3))
    spins -= spins.mean(axis=0)
    turns = np.stack([(base * Rotation.from_rotvec(s)).as_quat() for s in spins])
    turns *= rng.choice([-1.0, 1.0], (10, 8, 1))
    one = chunk(np.concatenate([np.zeros((10, 8, 3)), turns], 2), columns=POSE)
    pair = make_pair(one, one, POSE, ActionScale.unit(POSE))
    for row in range(8):
        reference = Rotation.from_quat(turns[:, row]).mean()
        expected = (reference.inv() * Rotation.from_quat(turns[:, row])).as_rotvec()
        assert pair.current_values[:, row, 3:] == pytest.approx(expected, abs=1e-7)


def test_scores_that_compare_distributions_need_two_samples() -> None:
    needed = {name: make_score(ScoreConfig(name)).min_samples for name in UNTRAINED}
    assert {name for name, n in needed.items() if n == 1} == {"overlap_error", "min_distance"}
    assert set(needed.values()) == {1, 2}
    assert not any(make_score(ScoreConfig(name)).needs_embedding for name in UNTRAINED)


def test_scores_say_their_name() -> None:
    assert [make_score(ScoreConfig(name)).name for name in UNTRAINED] == UNTRAINED


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lambda: ScoreConfig("mmd"), "there is no score 'mmd'; there are mmd_floored"),
        (lambda: ScoreConfig("energy", parameters={"bin_width": 1.0}), r"no parameter \['bin_width'\]"),
        (lambda: ScoreConfig("entropy", parameters={"bin_width": 0.0}), "must be above 0"),
        (lambda: ScoreConfig("entropy", parameters={"bin_width": "wide"}), "must be a finite number"),
        (lambda: ScoreConfig("energy", -1.0), "bandwidth_floor of 'energy'"),
        (lambda: ScoreConfig("energy", math.nan), "bandwidth_floor of 'energy'"),
        (lambda: ScoreConfig.from_dict({"name": "energy"}), "a score has the keys"),
        (
            lambda: ScoreConfig.from_dict({"name": 3, "bandwidth_floor": 0.0, "parameters": {}}),
            "needs a name",
        ),
    ],
)
def test_wrong_configuration_is_refused(config, message) -> None:
    with pytest.raises(ValueError, match=message):
        make_score(config())


def test_configuration_survives_its_file_form() -> None:
    config = ScoreConfig("entropy", 0.25, {"bin_width": 0.2})
    assert ScoreConfig.from_dict(config.to_dict()) == config
