# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What every score sees: two consecutive chunks' samples on the rows that both plan, aligned by time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lbm_policy_node.core.rotations import mean_quaternion, rotation_vector_between
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.columns import ScoredColumns, ScoredValues
from lbm_policy_node.monitors.overlap import NoOverlap, PairError, find_overlap
from lbm_policy_node.monitors.scale import ActionScale

__all__ = ["NoOverlap", "PairError", "SamplePair", "make_pair", "squared_distances"]

LARGEST_VALUE = 1e6
"""A scaled value beyond this is no action; squared, it would drown the others in rounding."""
RESOLUTION = 1e-6
"""Scaled values closer than this are equal: rounding of a float32 policy is no disagreement."""
GRAM_ROUNDING = 1e-13
"""Rounding of a squared distance by way of scalar products, relative to the largest squared norm."""


@dataclass(frozen=True, eq=False)
class SamplePair:
    """The samples of two chunks on their overlap, in scaled units.

    Distances are computed on first use and kept: one pooled matrix serves all scores. Squared distances are
    sums over rows and values, a rotation adding its squared geodesic angle. Not thread-safe.

    Attributes:
        n_steps: Rows of the overlap.
        n_current: Samples of the current chunk.
        n_previous: Samples of the previous chunk.
        linear: Scaled values of the current samples, the previous samples and the previous executed chunk, in
            this order, shape (n_current + n_previous + 1, n_steps, n_linear).
        turns: Their rotations, unit quaternions xyzw, shape (..., n_steps, n_rotations, 4).
        turn_scale: Divisor of each rotation's angle, rad, shape (n_rotations,).
        embedding: The policy's embedding of the current observation, shape (embedding_dim,).
    """

    n_steps: int
    n_current: int
    n_previous: int
    linear: Array
    turns: Array
    turn_scale: Array
    embedding: Array

    @property
    def dim(self) -> int:
        """D: rows times degrees of freedom; a rotation counts as 3."""
        return self.n_steps * (self.linear.shape[2] + 3 * self.turns.shape[2])

    @cached_property
    def _all(self) -> Array:
        n = len(self.linear)
        return squared_distances(
            self.linear.reshape(n, -1), self.turns.reshape(n, -1, 4), np.tile(self.turn_scale, self.n_steps)
        )

    @property
    def pooled(self) -> Array:
        """Squared distances of the current and then the previous samples, shape (N, N)."""
        return self._all[:-1, :-1]

    @property
    def xx(self) -> Array:
        """Squared distances among the current samples, shape (n_current, n_current)."""
        return self._all[: self.n_current, : self.n_current]

    @property
    def yy(self) -> Array:
        """Squared distances among the previous samples, shape (n_previous, n_previous)."""
        return self._all[self.n_current : -1, self.n_current : -1]

    @property
    def xy(self) -> Array:
        """Squared distances of the current to the previous samples, shape (n_current, n_previous)."""
        return self._all[: self.n_current, self.n_current : -1]

    @property
    def executed_xy(self) -> Array:
        """Squared distances of the current samples to the previous executed chunk, shape (n_current,)."""
        return self._all[: self.n_current, -1]

    @cached_property
    def median_squared_distance(self) -> float:
        """Median of the positive squared distances of all samples pooled; 0 where all samples are equal."""
        above = self.pooled[np.triu_indices(self.n_current + self.n_previous, 1)]
        positive = above[above > 0.0]
        return float(np.median(positive)) if positive.size else 0.0

    @cached_property
    def current_values(self) -> Array:
        """The current samples in scaled units, shape (n_current, n_steps, width).

        A rotation is the rotation vector from the samples' mean rotation of its row.
        """
        linear, turns = self.linear[: self.n_current], self.turns[: self.n_current]
        vectors = rotation_vector_between(mean_quaternion(turns), turns) / self.turn_scale[:, None]
        return np.concatenate([linear, vectors.reshape(*linear.shape[:2], -1)], axis=2)


def make_pair(
    previous: ActionChunk,
    current: ActionChunk,
    columns: ScoredColumns,
    scale: ActionScale,
    max_overlap_steps: int | None = None,
) -> SamplePair:
    """Align two chunks by time.

    Rows of the current chunk at instants that the previous one covers; where those lie between two previous
    rows, the previous samples are interpolated, rotations along the geodesic.

    Args:
        previous: The chunk before; its numbers of samples may differ.
        current: The chunk to judge.
        columns: What is compared.
        scale: Divisors of the compared values.
        max_overlap_steps: Use at most this many rows, the earliest ones; None is all.

    Raises:
        NoOverlap: If no row of the current chunk is covered.
        PairError: If the chunks cannot be compared: other names, step or horizon, out of order, no samples,
            numbers that are not finite, absurdly large or no rotation.
    """
    if scale.names != columns.names:
        raise PairError(f"the scale is for {list(scale.names)}, scored are {list(columns.names)}")
    for chunk in (previous, current):
        _check(chunk, columns)
    overlap = find_overlap(previous, current, max_overlap_steps)
    before = np.concatenate([previous.samples, previous.actions[None]])
    divisors = np.asarray(scale.scale)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        earlier = overlap.interpolated(columns.select(overlap.of_previous(before)))
        values = _stacked(columns.select(overlap.of_current(current.samples)), earlier)
        linear = values.linear / divisors[: len(columns.linear)]
    _check_values(linear, values.turns, current)
    return SamplePair(
        n_steps=overlap.n_steps,
        n_current=len(current.samples),
        n_previous=len(previous.samples),
        linear=linear,
        turns=values.turns,
        turn_scale=divisors[len(columns.linear) :],
        embedding=current.embedding,
    )


def squared_distances(linear: Array, turns: Array, turn_scale: Array) -> Array:
    """Return the squared distances between N samples, summed over their values.

    Distances below the resolution (root mean square difference 1e-6) are exactly 0, so that equal samples
    have no rounding noise for a bandwidth to be taken from.

    Args:
        linear: Scaled values, shape (N, n_values).
        turns: Unit quaternions, shape (N, n_turns, 4).
        turn_scale: Divisor of each turn's angle, rad, shape (n_turns,).

    Returns:
        Symmetric with a diagonal of 0, shape (N, N).
    """
    centred = linear - linear.mean(axis=0)  # the scalar products then carry the spread, not the position
    products = centred @ centred.T
    norms = np.diagonal(products)
    distances = (norms[:, None] + norms) - 2.0 * products
    for index, scale in enumerate(turn_scale):
        cosines = np.abs(turns[:, index] @ turns[:, index].T)  # of half the angle; q and -q are one rotation
        distances += (2.0 / scale * np.arccos(np.minimum(cosines, 1.0))) ** 2
    dim = linear.shape[1] + 3 * len(turn_scale)
    smallest = max(dim * RESOLUTION**2, GRAM_ROUNDING * float(norms.max()))
    distances[distances < smallest] = 0.0
    np.fill_diagonal(distances, 0.0)
    return distances


def _check_values(linear: Array, turns: Array, current: ActionChunk) -> None:
    if not np.isfinite(turns).all():
        raise PairError(
            f"chunk {current.chunk_id} or the one before it has rotation numbers that are no rotation "
            "(a length near 0 or far above 1, or parallel columns of a rot6d)"
        )
    largest = np.abs(linear).max(initial=0.0)
    if not largest <= LARGEST_VALUE:  # not a number neither
        raise PairError(
            f"chunk {current.chunk_id} or the one before it has a value of {largest:.3g} times its scale; "
            f"beyond {LARGEST_VALUE:g} it is no action"
        )


def _stacked(first: ScoredValues, second: ScoredValues) -> ScoredValues:
    return ScoredValues(
        np.concatenate([first.linear, second.linear]), np.concatenate([first.turns, second.turns])
    )


def _check(chunk: ActionChunk, columns: ScoredColumns) -> None:
    if chunk.action_names != columns.action_names:
        raise PairError(
            f"chunk {chunk.chunk_id} has the columns {list(chunk.action_names)}, "
            f"expected {list(columns.action_names)}"
        )
    if not len(chunk.samples):
        raise PairError(f"chunk {chunk.chunk_id} carries no samples")
    if not (np.isfinite(chunk.samples).all() and np.isfinite(chunk.actions).all()):
        raise PairError(f"chunk {chunk.chunk_id} has values that are not finite")
