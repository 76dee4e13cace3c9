# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Inference in a thread of its own, one request at a time, so that no callback waits for it."""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lbm_policy_node.core.types import Array, Observation
from lbm_policy_node.policies.checkpoint.errors import PolicyUnavailable

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
        embedding: Of the observations, shape (embedding_dim,); empty where it was not wanted.
        unavailable: The policy could not be asked at all, but may be later; the error says why.
    """

    request: InferenceRequest
    samples: Array | None
    error: str
    inference_s: float
    embedding: Array = field(default_factory=lambda: no_embedding(()))
    unavailable: bool = False


class InferenceWorker:
    """Runs ``Policy.infer`` in a daemon thread.

    Threads: ``submit``, ``take`` and ``stop`` belong to the node's executor thread. ``wake`` is called from
    the worker's thread when an answer is ready and must be thread-safe (trigger a guard condition).
    """

    def __init__(self, policy: "Policy", wake: Callable[[], None], embed: Embed = no_embedding) -> None:
        """Start the thread; ``embed`` is called in it after each inference."""
        self._policy, self._wake, self._embed = policy, wake, embed
        self._requests: queue.Queue[InferenceRequest | None] = queue.Queue()
        self._results: queue.Queue[InferenceResult] = queue.Queue()
        self._in_flight = False
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether a request would be taken."""
        return not self._in_flight

    def submit(self, request: InferenceRequest) -> bool:
        """Hand over a request; False, and nothing queued, while one is in flight."""
        if self._in_flight:
            return False
        self._in_flight = True
        self._requests.put(request)
        return True

    def take(self) -> InferenceResult | None:
        """Return the finished answer, once."""
        try:
            result = self._results.get_nowait()
        except queue.Empty:
            return None
        self._in_flight = False
        return result

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End the thread after the present inference; False when that takes longer than the time-out."""
        self._requests.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (request := self._requests.get()) is not None:
            self._results.put(self._infer(request))
            self._wake()

    def _infer(self, request: InferenceRequest) -> InferenceResult:
        began = time.perf_counter()
        samples, error, embedding, unavailable = None, "", no_embedding(()), False
        try:
            samples = self._policy.infer(request.history, n_samples=request.n_samples, seed=request.seed)
            embedding = np.asarray(self._embed(request.history), np.float32)
            error = self._complaint(samples, request.n_samples, embedding)
        except PolicyUnavailable as failure:
            error, unavailable = f"the policy is not available: {failure}", True
        except Exception as failure:  # whatever a policy raises becomes a published reason
            error = "".join(traceback.format_exception_only(failure)).strip()
        elapsed_s = time.perf_counter() - began
        return InferenceResult(request, None if error else samples, error, elapsed_s, embedding, unavailable)

    def _complaint(self, samples: Array, n_samples: int, embedding: Array) -> str:
        spec = self._policy.spec
        expected = (n_samples, spec.horizon, spec.action_dim)
        if np.shape(samples) != expected:
            return f"the policy returned shape {np.shape(samples)}; expected {expected}"
        if embedding.ndim != 1:
            return f"the policy's embedding has shape {embedding.shape}; expected a vector"
        return ""
