# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How far two answers to the same observations lie apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lbm_policy_node.core.spec.spec_actions import QUATERNION, ActionSpec
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.pair import PairError, make_pair
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.monitors.scores.mmd import MEDIAN, Mmd


@dataclass(frozen=True)
class Difference:
    """The largest absolute difference between two answers.

    Attributes:
        value: In the column's unit; infinite where a number is not finite.
        column: Name of the action column.
        row: Row of the chunk.
        sample: Which sample; -1: the chunk to execute.
        columns: The largest of each column, in its unit, action order.
    """

    value: float
    column: str
    row: int
    sample: int
    columns: tuple[float, ...]


class Comparer:
    """Compares a recorded chunk with a new answer, row by row."""

    def __init__(self, action: ActionSpec, scale: ActionScale | None) -> None:
        """Say what is compared.

        Args:
            action: The robot's action layout.
            scale: Of the values behind the MMD; None: each in its unit.
        """
        self._names = action.names
        self._quaternions = [b.rotation_columns for b in action.blocks if b.rotation == QUATERNION]
        self._columns = ScoredColumns.from_spec(action)
        fits = scale is not None and scale.names == self._columns.names
        self._scale = scale if scale is not None and fits else ActionScale.unit(self._columns)

    def difference(self, recorded: ActionChunk, answer: ActionChunk) -> Difference:
        """Compare the rows and samples that both have; a quaternion and its negative are equal.

        A chunk that was guided on purpose is compared by its unguided samples alone.
        """
        old, new = self._stacked(recorded, answer)
        for columns in self._quaternions:
            signs = np.where((old[..., columns] * new[..., columns]).sum(-1, keepdims=True) < 0.0, -1.0, 1.0)
            new[..., columns] *= signs
        apart = np.abs(old - new)
        apart[~np.isfinite(apart)] = np.inf
        sample, row, column = (int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
        first = 0 if recorded.guided else -1
        return Difference(
            value=float(apart[sample, row, column]),
            column=self._names[column],
            row=row,
            sample=sample + first,
            columns=tuple(float(value) for value in apart.max(axis=(0, 1))),
        )

    def mmd(self, recorded: ActionChunk, answer: ActionChunk) -> float:
        """Squared MMD between the sample sets (median bandwidth, monitors.scores.mmd).

        Returns:
            0 to 2; NaN where there are fewer than two samples, infinite where they cannot be compared.
        """
        count, rows = _shared(recorded, answer)
        if count < 2:
            return math.nan
        try:
            pair = make_pair(_cut(recorded, rows), _cut(answer, rows), self._columns, self._scale)
        except PairError:
            return math.inf
        return Mmd(MEDIAN)(pair)

    def _stacked(self, recorded: ActionChunk, answer: ActionChunk) -> tuple[Array, Array]:
        count, rows = _shared(recorded, answer)
        old, new = recorded.samples[:count, :rows], answer.samples[:count, :rows]
        if recorded.guided:
            return np.array(old), np.array(new)
        return (
            np.concatenate([recorded.actions[None, :rows], old]),
            np.concatenate([answer.actions[None, :rows], new]),
        )


def _shared(recorded: ActionChunk, answer: ActionChunk) -> tuple[int, int]:
    """How many samples and rows both have."""
    count = min(len(recorded.samples), len(answer.samples))
    return count, min(recorded.horizon, answer.horizon)


def _cut(chunk: ActionChunk, rows: int) -> ActionChunk:
    return replace(chunk, actions=chunk.actions[:rows], samples=chunk.samples[:, :rows])
