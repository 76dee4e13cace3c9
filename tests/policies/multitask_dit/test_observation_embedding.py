# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The observation embedding: what the samples are conditioned on, and encoded once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lbm_policy_node.core.types import Observation
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.policies.policy import EmbeddingPolicy

Write = Callable[..., Path]


@pytest.fixture
def policy(small_checkpoint: Write) -> Any:
    return load_policy(small_checkpoint())


@pytest.fixture
def encodings(policy: Any) -> list[int]:
    """Grows by one whenever the model encodes an observation."""
    calls: list[int] = []
    policy.model.observation_encoder.register_forward_hook(lambda *_: calls.append(1))
    return calls


def pair(small: Any, shift: float = 0.0) -> list[Observation]:
    return [small.observation(), small.observation(state=np.full(4, shift, np.float32))]


def test_the_embedding_is_the_conditioning_vector(small: Any, policy: Any) -> None:
    history = pair(small)
    embedding = policy.embed(history)
    assert embedding.shape == (policy.spec.embedding_dim,) and embedding.dtype == np.float64
    assert np.array_equal(embedding, policy.encode(history)[0].numpy())
    assert np.abs(embedding - policy.embed(pair(small, 1.0))).max() > 1e-3
    assert isinstance(policy, EmbeddingPolicy)


def test_infer_and_embed_of_one_history_encode_once(small: Any, policy: Any, encodings: list[int]) -> None:
    history = pair(small)
    policy.infer(history)
    first = policy.embed(history)
    again = policy.embed(tuple(history))
    assert len(encodings) == 1
    assert np.array_equal(first, again) and np.array_equal(first, policy.encode(history)[0].numpy())


def test_only_the_very_same_observations_are_remembered(
    small: Any, policy: Any, encodings: list[int]
) -> None:
    history, other = pair(small), pair(small, 1.0)
    policy.infer(history)
    assert not np.array_equal(policy.embed(other), policy.embed(history))
    assert len(encodings) == 2
    policy.embed([history[0], replace(history[1])])
    policy.embed([history[1], history[0]])
    assert len(encodings) == 4


def test_a_list_that_was_changed_after_infer_is_encoded_again(small: Any, policy: Any) -> None:
    history = pair(small)
    policy.infer(history)
    history[1] = small.observation(state=np.ones(4, np.float32))
    assert np.array_equal(policy.embed(history), policy.encode(history)[0].numpy())


def test_one_history_is_remembered_and_no_more(small: Any, policy: Any, encodings: list[int]) -> None:
    first, second = pair(small), pair(small, 1.0)
    policy.infer(first)
    policy.infer(second)
    policy.embed(first)
    assert len(encodings) == 3


def test_a_history_of_the_wrong_length_is_refused(small: Any, policy: Any) -> None:
    with pytest.raises(ValueError, match="the history has 1 observations, the policy needs 2"):
        policy.embed([small.observation()])


def test_a_weightless_policy_has_no_embedding() -> None:
    policy = load_policy(shared_path("checkpoints/weightless"))
    assert policy.spec.embedding_dim == 0
    assert not isinstance(policy, EmbeddingPolicy)


def test_the_shipped_checkpoint_has_420_values() -> None:
    assert load_policy(shared_path("checkpoints/mt10")).spec.embedding_dim == 420
