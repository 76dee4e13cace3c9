# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy of `lbm serve`: the same answers as in this process, from another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lbm_policy_node.core.types import Observation
from lbm_policy_node.messages.packing import pack
from lbm_policy_node.policies.policy import FloatArray, PolicySpec, check_request
from lbm_policy_node.policies.remote.connection import Connection, Endpoint, RemoteError
from lbm_policy_node.policies.remote.protocol import ProtocolError, message_limit, spec_of
from lbm_policy_node.policies.remote.requests import EMBED, InferRequest, write_request


class RemotePolicy:
    """Asks a server. One thread at a time may call it; ``close`` is for any thread.

    A served policy with an observation embedding makes this one an `EmbeddingPolicy`; the embedding comes
    along with each inference.
    """

    def __init__(self, endpoint: Endpoint, jpeg_quality: int = 0) -> None:
        """Connect.

        Args:
            endpoint: Where the server is.
            jpeg_quality: Compress images, 1 to 100; 0 sends them raw.

        Raises:
            PolicyUnavailable: There is no usable server.
        """
        self._endpoint, self._jpeg_quality = endpoint, jpeg_quality
        self._spec: PolicySpec | None = None
        self._max_bytes = 0
        self._description: Mapping[str, str] = {}
        self._embedded: tuple[tuple[Observation, ...], FloatArray] | None = None
        self._connection = Connection(endpoint, self._accept)
        self._connection.open()
        if self.spec.embedding_dim:
            # What is served decides whether this is an `EmbeddingPolicy`, which the class cannot know.
            self.embed = self._embed

    @property
    def spec(self) -> PolicySpec:
        """What the served policy needs and gives, as first announced."""
        assert self._spec is not None  # opening the connection sets it or raises
        return self._spec

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict chunks; see `Policy.infer`.

        Raises:
            PolicyUnavailable: The server is away; ask again later.
            RemoteError: The server cannot answer this request.
            ProtocolError: The reply is not what was asked for.
        """
        check_request(self.spec, history, n_samples, prefix)
        reply = self._ask(InferRequest(history, n_samples, seed, prefix))
        samples = _floats(reply, "samples", (n_samples, self.spec.horizon, self.spec.action_dim))
        if self.spec.embedding_dim:
            self._embedded = tuple(history), _floats(reply, "embedding", (self.spec.embedding_dim,))
        return samples

    def describe(self) -> Mapping[str, str]:
        """Facts about the served checkpoint, for users."""
        return {"server": self._endpoint.url, **self._description}

    def close(self) -> None:
        """Disconnect for good."""
        self._connection.close()

    def _embed(self, history: Sequence[Observation]) -> FloatArray:
        """The embedding that came with the last inference, or one more request; see `EmbeddingPolicy`."""
        if self._embedded is not None and _same(self._embedded[0], history):
            return self._embedded[1]
        check_request(self.spec, history, 1, None)
        reply = self._ask(InferRequest(history, wants=EMBED))
        return _floats(reply, "embedding", (self.spec.embedding_dim,))

    def _ask(self, request: InferRequest) -> Any:
        keys = [feature.key for feature in self.spec.images]
        seen = [replace(o, images={key: o.images[key] for key in keys}) for o in request.history]
        message = pack(write_request(replace(request, history=seen), self._jpeg_quality))
        if len(message) > self._max_bytes:
            text = f"the request of {len(message)} bytes is above the server's limit of {self._max_bytes}"
            raise RemoteError(f"{text}: compress images with jpeg_quality, or serve with --max-message-mb")
        return self._connection.exchange(message)

    def _accept(self, announced: Any) -> None:
        """Take the metadata; another policy than at first would not fit what was checked at the start."""
        spec = spec_of(announced)
        if self._spec is not None and spec != self._spec:
            was, now = (f"{s.kind} {s.checkpoint_id}" for s in (self._spec, spec))
            raise ProtocolError(
                f"it serves {now} now, not {was}; serve that one, or configure this node again"
            )
        description = announced.get("description")
        self._description = description if isinstance(description, Mapping) else {}
        self._spec, self._max_bytes = spec, message_limit(announced)


def _same(seen: Sequence[Observation], history: Sequence[Observation]) -> bool:
    return len(seen) == len(history) and all(a is b for a, b in zip(seen, history, strict=True))


def _floats(reply: Any, key: str, shape: tuple[int, ...]) -> FloatArray:
    """Take an array out of a reply; NaN is for the caller to judge, who publishes a reason of its own."""
    value = reply.get(key) if isinstance(reply, Mapping) else None
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise ProtocolError(f"the reply holds no numbers as '{key}'")
    if value.shape != shape:
        raise ProtocolError(f"the server answered with '{key}' of shape {value.shape}; expected {shape}")
    return value.astype(np.float64)
