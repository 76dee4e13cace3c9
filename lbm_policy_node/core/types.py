# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The values that cross every layer: what a policy sees and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
ImageArray = NDArray[np.uint8]


def read_only(array: Array) -> Array:
    """Return a view of an array that cannot be written through (no copy)."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False)
class Observation:
    """What the policy sees at one instant.

    Attributes:
        stamp_ns: Header time that the observation stands for, ns of the ROS clock.
        images: Feature key ("observation.images.front") to uint8 RGB (height, width, 3); views, not copies.
        state: Proprio in spec order and units, float32, shape (state_dim,), finite.
        instruction: Language command.
        stream_stamps_ns: Stream name to header stamp of the message behind it; empty where not known.

    Raises:
        ValueError: If an image is not uint8 HWC RGB or the state is not a finite vector.
    """

    stamp_ns: int
    images: Mapping[str, ImageArray]
    state: Array
    instruction: str
    stream_stamps_ns: Mapping[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        for key, image in self.images.items():
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(f"image '{key}' must be uint8 (H, W, 3), is {image.dtype} {image.shape}")
        state = np.asarray(self.state, dtype=np.float32)
        if state.ndim != 1 or not np.isfinite(state).all():
            raise ValueError(f"state must be a finite vector, is {state!r}")
        object.__setattr__(self, "images", {key: read_only(image) for key, image in self.images.items()})
        object.__setattr__(self, "state", read_only(state))


@dataclass(frozen=True, eq=False, kw_only=True)
class ActionChunk:
    """The future actions of one inference; row i is due at start_ns + i * step_ns.

    Values may be non-finite: the executor's limits refuse those with a reason, so that it can be published.

    Attributes:
        chunk_id: Counts up by one per published chunk of one policy process.
        observation_stamp_ns: Stamp of the newest observation behind it.
        start_ns: When row 0 is due (observation stamp + the spec's lead).
        step_ns: Time between rows, above 0.
        actions: The chunk to execute, spec order and units, shape (horizon, action_dim).
        samples: Unguided samples for the monitor, shape (K, horizon, action_dim); K may be 0.
        action_names: Name of each column.
        seed: Of the policy's noise.
        checkpoint_id: Which weights answered.
        instruction: Which command was followed.
        guided: The executed chunk was made consistent on purpose (real-time chunking and the like).
        stochastic: The policy draws noise, so its samples differ.
        inference_s: Duration of the inference.
        index: Chunks since the policy's history was reset: 0 for the first one of a run, or after a takeover.
        execution_horizon: Rows planned before the next chunk takes over; 0 where that is not fixed.
        embedding: The policy's embedding of the observation, float32, shape (embedding_dim,); empty when
            it is not sent.
        input_streams: Streams of the spec that the observations were made of; empty when not known.
        input_stamps_ns: Header stamps of their messages, per history step (oldest first) and stream; empty
            when the streams are not known.

    Raises:
        ValueError: If shapes, names and times do not fit together.
    """

    chunk_id: int
    observation_stamp_ns: int
    start_ns: int
    step_ns: int
    actions: Array
    samples: Array
    action_names: tuple[str, ...]
    seed: int = 0
    checkpoint_id: str = ""
    instruction: str = ""
    guided: bool = False
    stochastic: bool = False
    inference_s: float = 0.0
    index: int = 0
    execution_horizon: int = 0
    embedding: Array = field(default_factory=lambda: np.empty(0, np.float32))
    input_streams: tuple[str, ...] = ()
    input_stamps_ns: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        actions = np.asarray(self.actions, dtype=np.float64)
        samples = np.asarray(self.samples, dtype=np.float64)
        names = tuple(self.action_names)
        if actions.ndim != 2 or 0 in actions.shape:
            raise ValueError(f"actions must have shape (horizon, action_dim), not {actions.shape}")
        if samples.ndim != 3 or samples.shape[1:] != actions.shape:
            raise ValueError(
                f"samples must have shape (K, {actions.shape[0]}, {actions.shape[1]}), not {samples.shape}"
            )
        if len(names) != actions.shape[1] or len(set(names)) != len(names):
            raise ValueError(f"{actions.shape[1]} action columns need as many distinct names, got {names}")
        if self.step_ns <= 0:
            raise ValueError(f"step_ns must be above 0, is {self.step_ns}")
        embedding = np.asarray(self.embedding, dtype=np.float32)
        if embedding.ndim != 1:
            raise ValueError(f"the embedding must be a vector, has shape {embedding.shape}")
        if any(len(row) != len(self.input_streams) for row in self.input_stamps_ns):
            raise ValueError(f"each row of input stamps needs one stamp for each of {self.input_streams}")
        object.__setattr__(self, "embedding", read_only(embedding))
        object.__setattr__(self, "actions", read_only(actions))
        object.__setattr__(self, "samples", read_only(samples))
        object.__setattr__(self, "action_names", names)
        if not self.input_streams:  # rows of no stamps say nothing, and a message has no place for them
            object.__setattr__(self, "input_stamps_ns", ())

    @property
    def horizon(self) -> int:
        """Number of rows."""
        return self.actions.shape[0]

    @property
    def action_dim(self) -> int:
        """Number of columns."""
        return self.actions.shape[1]

    @property
    def end_ns(self) -> int:
        """When the last row is due."""
        return self.start_ns + (self.horizon - 1) * self.step_ns

    def row_time_ns(self, row: int) -> int:
        """When a row is due."""
        return self.start_ns + row * self.step_ns


def no_samples(horizon: int, action_dim: int) -> Array:
    """Return the samples array of a chunk that carries none, shape (0, horizon, action_dim)."""
    return np.empty((0, horizon, action_dim))
