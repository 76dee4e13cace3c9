# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One inference: the request, the result, and the check of its shapes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.core.types import Array, Observation

if TYPE_CHECKING:
    from lbm_policy_node.policies.policy import Policy

Embed = Callable[[Sequence[Observation]], Array]
"""``EmbeddingPolicy.embed``: observations to their embedding, shape (embedding_dim,)."""


def no_embedding(_history: Sequence[Observation]) -> Array:
    """The embedding of a policy that has none, or that is not asked for it."""
    return np.empty(0, np.float32)


@dataclass(frozen=True, eq=False)
class InferenceRequest:
    """What to infer.

    Attributes:
        epoch: Which start asked; an answer to an earlier one is thrown away.
        chunk_id: Number of the chunk to come.
        instruction: The command that the chunk will follow.
        history: Oldest observation first.
        n_samples: Chunks to draw.
        seed: Of the policy's noise.
    """

    epoch: int
    chunk_id: int
    instruction: str
    history: Sequence[Observation]
    n_samples: int
    seed: int


@dataclass(frozen=True, eq=False)
class InferenceResult:
    """The answer.

    Attributes:
        request: What was asked.
        samples: Shape (n_samples, horizon, action_dim); None on an error.
        error: Why there are no samples.
        inference_s: How long it took, embedding included.
        embedding: Of the observations, shape (embedding_dim,); empty where it was not asked for.
        unavailable: The policy could not be asked at all, but may be later; the error says why.
    """

    request: InferenceRequest
    samples: Array | None
    error: str
    inference_s: float
    embedding: Array = field(default_factory=lambda: no_embedding(()))
    unavailable: bool = False


class Inference:
    """Asks a policy, takes the time, and checks the shapes. One thread at a time may call it."""

    def __init__(self, policy: "Policy", embed: Embed = no_embedding) -> None:
        """Keep the policy; ``embed`` is called after each inference with the same observations."""
        self._policy, self._embed = policy, embed

    def __call__(self, request: InferenceRequest) -> InferenceResult:
        """Answer a request; lets through whatever the policy raises."""
        began = time.perf_counter()
        samples = self._policy.infer(request.history, n_samples=request.n_samples, seed=request.seed)
        embedding = np.asarray(self._embed(request.history), np.float32)
        elapsed_s = time.perf_counter() - began
        error = self._wrong_shape(samples, request.n_samples, embedding)
        return InferenceResult(request, None if error else samples, error, elapsed_s, embedding)

    def _wrong_shape(self, samples: Array, n_samples: int, embedding: Array) -> str:
        spec = self._policy.spec
        expected = (n_samples, spec.horizon, spec.action_dim)
        if np.shape(samples) != expected:
            return f"the policy returned shape {np.shape(samples)}; expected {expected}"
        if embedding.ndim != 1:
            return f"the policy's embedding has shape {embedding.shape}; expected a vector"
        return ""
