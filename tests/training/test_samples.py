# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which steps end up in which batch, and what a sample holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from lbm_policy_node.training.config import TrainConfig
from lbm_policy_node.training.multitask_dit.blueprint import from_scratch
from lbm_policy_node.training.samples import BatchStream, ChunkSamples


def samples_of(dataset, size):
    return ChunkSamples(dataset, from_scratch(dataset, size, TrainConfig()).config)


@pytest.fixture(scope="module")
def samples(dataset, tiny):
    return samples_of(dataset, tiny)


def test_chunk_stays_inside_its_episode_and_marks_what_it_repeats(dataset, tiny):
    size = replace(tiny, action_space="absolute", per_step_statistics=False)
    batch = samples_of(dataset, size).batch(np.array([9, 11, 12]))  # episode 0 is steps 0 to 11
    action = dataset.vectors["action"]
    np.testing.assert_array_equal(batch["action"][0, :3], action[9:12])
    np.testing.assert_array_equal(batch["action"][0, 3:], np.broadcast_to(action[11], (5, 4)))
    assert batch["action_is_pad"].sum(1).tolist() == [5, 7, 0]
    np.testing.assert_array_equal(batch["action"][2], action[12:20])


def test_history_repeats_the_first_observation_of_the_episode(dataset, tiny):
    size = replace(tiny, n_obs_steps=3, n_action_steps=4)
    batch = samples_of(dataset, size).batch(np.array([12, 13, 16]))
    state = dataset.vectors["observation.state"]
    np.testing.assert_array_equal(
        batch["observation.state"], state[[[12, 12, 12], [12, 12, 13], [14, 15, 16]]]
    )
    assert batch["observation.images.front"].shape == (3, 3, 32, 32, 3)


def test_relative_actions_are_offsets_from_the_observed_hand(dataset, tiny):
    batch = samples_of(dataset, tiny).batch(np.array([2, 30]))
    state, action = dataset.vectors["observation.state"], dataset.vectors["action"]
    np.testing.assert_allclose(batch["action"][0, :, :3], action[2:10, :3] - state[2, :3], atol=1e-6)
    np.testing.assert_array_equal(batch["action"][0, :, 3], action[2:10, 3])


def test_per_step_statistics_describe_each_future_step(dataset, tiny):
    samples = samples_of(dataset, tiny)
    action, _ = samples.actions(np.arange(len(dataset)))
    stats = samples.action_statistics()
    np.testing.assert_allclose(stats["mean"], action.mean(0), atol=1e-6)
    np.testing.assert_allclose(stats["std"], action.std(0), atol=1e-6)
    assert stats["std"].shape == (8, 4)
    assert stats["std"][7, 0] > 1.5 * stats["std"][0, 0]


@examples(20)
@given(batch=st.integers(1, 9), world=st.integers(1, 3), epoch=st.integers(0, 3))
def test_every_epoch_visits_no_step_twice_whatever_the_number_of_processes(
    dataset, samples, batch, world, epoch
):
    streams = [BatchStream(samples, batch_size=batch, seed=1, rank=r, world=world) for r in range(world)]
    per_epoch = len(dataset) // (batch * world)
    seen = [i for s in range(per_epoch) for stream in streams for i in stream.indices(epoch * per_epoch + s)]
    assert len(seen) == len(set(seen)) == per_epoch * batch * world


def test_a_batch_depends_only_on_seed_and_step(dataset, tiny):
    samples = samples_of(dataset, tiny)
    whole = list(BatchStream(samples, batch_size=8, seed=3).batches(0, 12))
    rest = list(BatchStream(samples, batch_size=8, seed=3).batches(7, 12))
    for one, other in zip(whole[7:], rest, strict=True):
        np.testing.assert_array_equal(one["action"], other["action"])


def test_a_dataset_smaller_than_a_batch_is_refused(dataset, tiny):
    with pytest.raises(ValueError, match="56 steps, a batch needs 57"):
        BatchStream(samples_of(dataset, tiny), batch_size=57, seed=0)
