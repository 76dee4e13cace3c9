# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator's actions while driving, and how far a chunk lies from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.execution.plan import Plan
from lbm_policy_node.core.rotations import rotation_vector_between
from lbm_policy_node.core.spec.spec_actions import ActionSpec
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.data.episodes.episode import Episode
from lbm_policy_node.data.episodes.episode_records import ControlTicks
from lbm_policy_node.monitors.columns import ScoredColumns


@dataclass(frozen=True)
class HumanError:
    """Mean absolute distance to the operator's actions, over the rows due while the operator drove.

    Attributes:
        rows: How many rows.
        columns: Per compared value: a column's unit, or rad for a rotation; grippers are left out.
    """

    rows: int
    columns: tuple[float, ...]

    @property
    def largest(self) -> float:
        """The column that is farthest off."""
        return max(self.columns)


class HumanActions:
    """The executed actions of each intervention of an episode."""

    def __init__(self, episode: Episode, action: ActionSpec) -> None:
        self._layout = ActionLayout(action)
        self._columns = ScoredColumns.from_spec(action)
        intervals = episode.human_intervals_ns
        plans = [_plan(episode.ticks, first, last, self._layout) for first, last in intervals]
        self._plans = [plan for plan in plans if plan is not None]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the compared values."""
        return self._columns.names

    def error(self, chunk: ActionChunk) -> HumanError | None:
        """Compare the rows that are due within an intervention; None where there is none.

        Between two control ticks the operator's action is interpolated as the executor does it.
        """
        times = [chunk.row_time_ns(row) for row in range(chunk.horizon)]
        pairs = [
            (chunk.actions[row], plan.at(self._layout, time_ns))
            for plan in self._plans
            for row, time_ns in enumerate(times)
            if plan.times_ns[0] <= time_ns <= plan.end_ns
        ]
        if not pairs:
            return None
        apart = self._apart(np.array([ours for ours, _ in pairs]), np.array([theirs for _, theirs in pairs]))
        return HumanError(len(pairs), tuple(float(value) for value in apart.mean(axis=0)))

    def _apart(self, ours: Array, theirs: Array) -> Array:
        """Absolute distances, shape (rows, compared values); infinite where a number is none."""
        a, b = self._columns.select(ours), self._columns.select(theirs)
        angles = np.linalg.norm(rotation_vector_between(a.turns, b.turns), axis=-1)
        apart = np.concatenate([np.abs(a.linear - b.linear), angles], axis=-1)
        return np.where(np.isfinite(apart), apart, np.inf)


def joined(errors: Sequence[HumanError]) -> HumanError | None:
    """The error over the rows of several chunks; None without any."""
    rows = sum(error.rows for error in errors)
    if not rows:
        return None
    total = np.sum([np.multiply(error.columns, error.rows) for error in errors], axis=0)
    return HumanError(rows, tuple(float(value) for value in total / rows))


def _plan(ticks: ControlTicks, first_ns: int, last_ns: int, layout: ActionLayout) -> Plan | None:
    """An intervention as a plan; ticks that commanded nothing are left out."""
    inside = (ticks.stamps_ns >= first_ns) & (ticks.stamps_ns <= last_ns)
    inside &= np.isfinite(ticks.executed).all(axis=1)
    stamps, kept = np.unique(ticks.stamps_ns[inside], return_index=True)
    if not stamps.size:
        return None
    return Plan(tuple(int(ns) for ns in stamps), layout.normalised(ticks.executed[inside][kept]))
