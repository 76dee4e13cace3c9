# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The seam between a policy and everything that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lbm_policy_node.core.types import Observation

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ImageFeature:
    """A camera image that the policy needs: feature key and size in pixels."""

    key: str
    height: int
    width: int


@dataclass(frozen=True)
class PolicySpec:
    """What a policy needs and gives; compared with the robot spec before anything runs."""

    kind: str
    """config.json's "type"."""
    checkpoint_id: str
    """First 16 hexadecimal digits of the weights' SHA-256."""
    images: tuple[ImageFeature, ...]
    """The cameras that each observation must hold."""
    state_dim: int
    """Width of the proprio vector."""
    action_dim: int
    """Width of one action."""
    horizon: int
    """Rows of a chunk, counted from the newest observation."""
    n_obs_steps: int
    """Observations that `infer` needs."""
    n_action_steps: int
    """Rows to execute before the next chunk takes over."""
    step_s: float | None
    """Time between rows, s; None where the checkpoint does not say."""
    stochastic: bool
    """Whether samples differ."""
    accepts_prefix: bool
    """Whether a chunk can be made to continue given actions (real-time chunking)."""
    uses_language: bool
    """Whether the instruction matters."""
    state_names: tuple[str, ...] | None
    """Names of the proprio values, where the checkpoint says them."""
    action_names: tuple[str, ...] | None
    """Names of the action columns, where the checkpoint says them."""
    embedding_dim: int = 0
    """Width of the observation embedding; 0: the policy offers none."""


class Policy(Protocol):
    """Anything that turns observations into action chunks: the seam behind which every model lives.

    **What it computes.** K samples of p(a_0 ... a_(H-1) | o_(t-n+1) ... o_t): o are the last n =
    `spec.n_obs_steps` observations, `spec.step_s` apart, and a_i is the action for the time of the newest
    observation + i * `spec.step_s`, for H = `spec.horizon` rows. ::

        time       t-1    t     t+1   t+2   t+3          step_s between them
        history    o      o
        samples           a_0   a_1   a_2   a_3          each of K, row 0 at the newest observation

    - Actions are in the physical units and the order of the robot spec: normalisation, relative actions and
      the like are undone before they are returned. Values are finite.
    - Sample 0 is the one to execute. It depends on the observations and the seed alone, not on `n_samples`,
      so a monitor that asks for more samples does not change what the robot does.
    - The same observations and the same seed give the same numbers on the same device, in any order of
      calls: no state is kept from one call to the next. Replay tests rely on this. (An openpi server draws
      its own noise and cannot promise it.)
    - A policy with `spec.stochastic` false returns K equal samples; the monitor then does not judge it.
    - With a prefix, which only some take (`spec.accepts_prefix`), the chunks continue the given actions.
    - One thread at a time may call it. It may take as long as one inference takes: the policy node calls it
      in a thread of its own, and the part of a chunk that has passed by then is not executed.

    Optional abilities are protocols of their own: `EmbeddingPolicy`, `ClosingPolicy`. A policy that is loaded
    from a folder is a `DescribedPolicy`; its kind is registered by a `PolicyKind` (policies/kind.py), which
    says how it is loaded, verified and trained.
    """

    @property
    def spec(self) -> PolicySpec:
        """What this policy needs and gives."""
        ...

    def infer(
        self,
        history: Sequence[Observation],
        *,
        n_samples: int = 1,
        seed: int = 0,
        prefix: FloatArray | None = None,
    ) -> FloatArray:
        """Predict action chunks.

        Args:
            history: Oldest first, `spec.n_obs_steps` observations, `spec.step_s` apart.
            n_samples: How many chunks; sample 0 is the one to execute and does not depend on this number.
            seed: Same seed, same samples.
            prefix: Actions (steps, action_dim) that the chunk should continue, if `spec.accepts_prefix`.

        Returns:
            Chunks (n_samples, horizon, action_dim) in physical units; row 0 belongs to the newest
            observation.

        Raises:
            ValueError: The history does not fit the spec, or a prefix is given to a policy that takes none.
            PolicyUnavailable: The policy lives elsewhere and cannot be reached now.
        """
        ...


@runtime_checkable
class EmbeddingPolicy(Policy, Protocol):
    """A policy that can say how it sees an observation, for the out-of-distribution score."""

    def embed(self, history: Sequence[Observation]) -> FloatArray:
        """The observation embedding (spec.embedding_dim,) that the policy's samples are conditioned on.

        Right after `infer` with the same observations (the very same objects) it costs nothing.

        Args:
            history: As for `infer`.

        Raises:
            ValueError: The history does not fit the spec.
        """
        ...


@runtime_checkable
class ClosingPolicy(Policy, Protocol):
    """A policy that holds a resource to release, such as a connection."""

    def close(self) -> None:
        """Release it; an `infer` in another thread ends at once. Any thread may call it."""
        ...


class DescribedPolicy(Policy, Protocol):
    """A policy that was loaded from a checkpoint and can say what it is."""

    def describe(self) -> Mapping[str, str]:
        """Facts beyond the spec, for users, by heading."""
        ...


def check_request(
    spec: PolicySpec, history: Sequence[Observation], n_samples: int, prefix: FloatArray | None
) -> None:
    """Refuse a request that the policy cannot answer.

    Raises:
        ValueError: Naming what does not fit.
    """
    if len(history) != spec.n_obs_steps:
        raise ValueError(f"the history has {len(history)} observations, the policy needs {spec.n_obs_steps}")
    if n_samples < 1:
        raise ValueError(f"n_samples is {n_samples}, expected at least 1")
    if prefix is not None and not spec.accepts_prefix:
        raise ValueError(f"a {spec.kind} policy accepts no prefix")
    for observation in history:
        if observation.state.shape != (spec.state_dim,):
            raise ValueError(f"the state has shape {observation.state.shape}, expected ({spec.state_dim},)")
        for image in spec.images:
            _check_image(observation, image)


def _check_image(observation: Observation, feature: ImageFeature) -> None:
    if feature.key not in observation.images:
        raise ValueError(f"the observation lacks '{feature.key}'; it has {sorted(observation.images)}")
    shape = observation.images[feature.key].shape
    if shape != (feature.height, feature.width, 3):
        raise ValueError(
            f"'{feature.key}' has shape {shape}, expected ({feature.height}, {feature.width}, 3)"
        )
