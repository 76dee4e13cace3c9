# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A policy behind openpi's own server, whose metadata say nothing about shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lbm_policy_node.core.types import Observation
from lbm_policy_node.messages.packing import pack
from lbm_policy_node.policies.policy import FloatArray, check_request
from lbm_policy_node.policies.remote.config import OpenpiConfig
from lbm_policy_node.policies.remote.connection import Connection, Endpoint
from lbm_policy_node.policies.remote.protocol import ProtocolError, speaks_ours


class OpenpiPolicy:
    """Asks an openpi server. Its noise cannot be seeded, so ``seed`` has no effect.

    One thread at a time may call it; ``close`` is for any thread.
    """

    def __init__(self, endpoint: Endpoint, config: OpenpiConfig, checkpoint_id: str = "") -> None:
        """Connect.

        Raises:
            PolicyUnavailable: There is no usable server.
        """
        self._endpoint, self._config = endpoint, config
        self.spec = config.spec(checkpoint_id)
        self._announced: Mapping[Any, Any] = {}
        self._connection = Connection(endpoint, self._accept)
        self._connection.open()

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict chunks, one request for each; see `RemotePolicy.infer`."""
        check_request(self.spec, history, n_samples, prefix)
        message = pack(self._observation(history[-1]))
        return np.stack([self._actions(self._connection.exchange(message)) for _ in range(n_samples)])

    def describe(self) -> Mapping[str, str]:
        """What the server says about itself."""
        return {"server": self._endpoint.url, **{str(k): str(v) for k, v in self._announced.items()}}

    def close(self) -> None:
        """Disconnect for good."""
        self._connection.close()

    def _observation(self, observation: Observation) -> dict[str, Any]:
        """The flat map that openpi's policies take: their keys, images uint8 (height, width, 3), "prompt"."""
        images = {key: observation.images[image["key"]] for key, image in self._config.images.items()}
        ends = np.cumsum(list(self._config.state.values()))[:-1]
        parts = np.split(observation.state, ends)
        return {
            **images,
            **dict(zip(self._config.state, parts, strict=True)),
            "prompt": observation.instruction,
        }

    def _actions(self, reply: Any) -> FloatArray:
        actions = reply.get("actions") if isinstance(reply, Mapping) else None
        if not isinstance(actions, np.ndarray) or actions.dtype.kind not in "fiu":
            raise ProtocolError("the reply holds no numbers as 'actions'")
        expected = (self.spec.horizon, self.spec.action_dim)
        if actions.shape != expected:
            raise ProtocolError(
                f"the server answered with 'actions' of shape {actions.shape}; expected {expected}"
            )
        return actions.astype(np.float64)

    def _accept(self, announced: Any) -> None:
        if not isinstance(announced, Mapping):
            raise ProtocolError(
                f"the server introduced itself with a {type(announced).__name__}, expected a map"
            )
        if speaks_ours(announced):
            raise ProtocolError(
                "this is `lbm serve`, not an openpi server: leave 'openpi' out of config.json"
            )
        self._announced = announced
