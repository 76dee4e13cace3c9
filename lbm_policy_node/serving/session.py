# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Answers one client: bytes in, bytes or an error text out (no sockets here)."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np

from lbm_policy_node.messages.packing import PackingError, pack, unpack
from lbm_policy_node.policies.checkpoint.errors import PolicyUnavailable
from lbm_policy_node.policies.policy import EmbeddingPolicy, FloatArray, Policy
from lbm_policy_node.policies.remote.requests import EMBED, InferRequest, RequestError, is_ours, read_request
from lbm_policy_node.serving.openpi_observation import KeyMap, read_observation

logger = logging.getLogger(__name__)


class Session:
    """Answers the requests of one client. Calls of all sessions of a policy belong to one thread."""

    def __init__(self, policy: Policy, keys: KeyMap) -> None:
        """Start; an openpi client's request i draws the noise of seed i unless it brings a seed."""
        self._policy, self._keys = policy, keys
        self._n_unseeded = 0
        self.previous_total_ms: float | None = None
        """From the arrival of the last request to its sent reply; openpi's clients get it with the next."""

    def answer(self, message: bytes | str) -> bytes | str:
        """Answer a request; a text says why there is no answer."""
        if isinstance(message, str):
            return "the request is a text frame; expected a binary frame with a msgpack map"
        try:
            return self._reply(unpack(message))
        except PackingError as error:
            return f"the request {error}"
        except RequestError as error:
            return f"the request is refused: {error}"
        except PolicyUnavailable as error:
            return f"the policy is not available: {error}"
        except Exception as error:  # of whatever kind: the client gets the sentence, the log the details
            logger.exception("the policy failed")
            return f"the policy failed: {type(error).__name__}: {error}"

    def _reply(self, message: Any) -> bytes:
        began = time.perf_counter()
        if is_ours(message):
            request = read_request(message, self._policy.spec)
            values = self._answer_ours(request)
        else:
            request = read_observation(message, self._policy.spec, self._keys, self._n_unseeded)
            self._n_unseeded += 1
            samples = self._infer(request)
            values = {"actions": samples[0], **({"samples": samples} if request.n_samples > 1 else {})}
        infer_ms = (time.perf_counter() - began) * 1e3
        timing = {"infer_ms": infer_ms}
        if self.previous_total_ms is not None:
            timing["prev_total_ms"] = self.previous_total_ms
        return pack({**values, "server_timing": timing, "policy_timing": {"infer_ms": infer_ms}})

    def _answer_ours(self, request: InferRequest) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if request.wants != EMBED:
            values["samples"] = self._infer(request)
        if isinstance(self._policy, EmbeddingPolicy) and self._policy.spec.embedding_dim:
            values["embedding"] = self._policy.embed(request.history)
        elif request.wants == EMBED:
            raise RequestError(f"a {self._policy.spec.kind} policy has no embedding")
        return values

    def _infer(self, request: InferRequest) -> FloatArray:
        samples = self._policy.infer(
            request.history, n_samples=request.n_samples, seed=request.seed, prefix=request.prefix
        )
        if not np.isfinite(samples).all():
            raise ValueError("it returned NaN or infinity")
        return samples
