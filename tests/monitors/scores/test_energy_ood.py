# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The score of the shipped calibration: the larger of disagreement and novelty, each standardised."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from helpers.monitor_episodes import COLUMNS, SCALE, episode
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode, first_samples, with_first_samples
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.monitors.calibration.fit import CalibrationConfig, calibrate
from lbm_policy_node.monitors.calibration.train_ood_flow import train_on_episodes
from lbm_policy_node.monitors.flow_file import OodFlowError, read_flow
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.pair import SamplePair, make_pair
from lbm_policy_node.monitors.scores.ood_flow import ood_scores
from lbm_policy_node.monitors.scores.registry import learn_parameters, make_score, score_class, score_names
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.paths import shared_path

WIDTH = 6
CONFIG = ScoreConfig("energy_ood")


def seen(chunk: ActionChunk, seed: int, shift: float = 0.0) -> ActionChunk:
    """The chunk with an embedding; a shift makes it unfamiliar."""
    embedding = np.random.default_rng([seed, chunk.index]).normal(shift, 1.0, WIDTH)
    return replace(chunk, embedding=embedding.astype(np.float32))


def seen_episode(seed: int, *, shift: float = 0.0) -> ChunkEpisode:
    made = episode(seed, shift=shift)
    return replace(made, chunks=tuple(seen(chunk, seed) for chunk in made.chunks))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights trained on episodes that no test calibrates on."""
    folder = tmp_path_factory.mktemp("trained")
    train_on_episodes([seen_episode(seed) for seed in range(500, 520)], folder)
    return folder


def pairs_of(seeds: range) -> list[SamplePair]:
    return [make_pair(*two, COLUMNS, SCALE) for seed in seeds for two in pairwise(seen_episode(seed).chunks)]


def parts(pair: SamplePair, folder: Path) -> tuple[float, float]:
    """Both parts, without the score's own code for the first."""
    x, y = (
        side.reshape(len(side), -1)
        for side in (pair.linear[: pair.n_current], pair.linear[pair.n_current : -1])
    )
    energy = 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
    return energy, ood_scores(read_flow(folder / "monitor_ood.safetensors"), pair.embedding[None])[0]


def test_it_is_the_larger_of_both_parts_in_standard_deviations(folder):
    pairs = pairs_of(range(5))
    score = make_score(learn_parameters(CONFIG, pairs, folder), folder)
    values = np.array([parts(pair, folder) for pair in pairs])
    expected = ((values - values.mean(axis=0)) / values.std(axis=0)).max(axis=1)
    np.testing.assert_allclose([score(pair) for pair in pairs], expected, rtol=1e-6, atol=1e-6)
    assert (expected[:, None] == ((values - values.mean(0)) / values.std(0))).any(axis=0).all(), "both decide"


@pytest.fixture(scope="module")
def monitor(folder: Path) -> Monitor:
    calibration = calibrate(
        [seen_episode(seed) for seed in range(60)],
        CalibrationConfig(score=CONFIG),
        columns=COLUMNS,
        scale=SCALE,
        checkpoint_id=seen_episode(0).chunks[0].checkpoint_id,
        source="test",
        date="2026-01-01",
        folder=folder,
    )
    return Monitor(COLUMNS, calibration, folder=folder)


def levels(monitor: Monitor, chunks: tuple[ActionChunk, ...]) -> list[Level]:
    monitor.reset("test")
    return [monitor.update(chunk).level for chunk in chunks]


def test_an_unfamiliar_view_stops_chunks_that_agree(monitor):
    chunks = seen_episode(900).chunks
    assert Level.STOP not in levels(monitor, chunks)
    assert Level.STOP in levels(monitor, tuple(seen(chunk, 900, shift=8.0) for chunk in chunks))


def test_chunks_that_disagree_stop_in_a_familiar_view(monitor):
    assert Level.STOP in levels(monitor, seen_episode(900, shift=0.5).chunks)


def test_without_a_usable_embedding_nothing_is_an_all_clear(monitor):
    chunks = seen_episode(900).chunks[:4]
    bare = tuple(replace(chunk, embedding=np.empty(0, np.float32)) for chunk in chunks)
    assert set(levels(monitor, bare)) == {Level.NOT_APPLICABLE}
    for wrong in (np.full(WIDTH, np.nan, np.float32), np.zeros(WIDTH + 1, np.float32)):
        spoilt = tuple(replace(chunk, embedding=wrong) for chunk in chunks)
        assert levels(monitor, spoilt)[1] is Level.FAULT
        assert Level.NORMAL not in levels(monitor, spoilt)


def test_it_refuses_unknown_parameters_missing_weights_and_episodes_without_embeddings(folder, tmp_path):
    with pytest.raises(ValueError, match="no parameter \\['energy_median'\\]"):
        make_score(replace(CONFIG, parameters={"energy_median": 1.0}), folder)
    with pytest.raises(OodFlowError, match="is missing"):
        make_score(CONFIG, tmp_path)
    with pytest.raises(OodFlowError, match="record with send_embedding"):
        train_on_episodes([episode(1)], tmp_path)


def test_only_the_scores_that_read_the_embedding_say_that_they_need_it():
    """Each score on a pair without an embedding: those that fail are those that say so."""
    (pair, *_) = pairs_of(range(1))
    bare = replace(pair, embedding=np.empty(0, np.float32))
    for name in score_names():
        score = make_score(ScoreConfig(name, 1.0), shared_path("checkpoints/mt10"))
        if score_class(name).needs_embedding:
            with pytest.raises(OodFlowError):
                score(bare)
        else:
            assert score(bare) == score(pair)


def test_first_samples_are_the_first_and_never_more_than_there_are():
    whole = episode(1)
    fewer = with_first_samples(whole, 2)
    for ours, theirs in zip(fewer.chunks, whole.chunks, strict=True):
        np.testing.assert_array_equal(ours.samples, theirs.samples[:2])
    with pytest.raises(ValueError, match="1000 are required"):
        first_samples(whole.chunks[0], 1000)
