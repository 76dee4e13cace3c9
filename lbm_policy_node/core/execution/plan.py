# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Actions with the times at which they are due, and what is due in between."""

from bisect import bisect_right
from dataclasses import dataclass

from lbm_policy_node.core.execution.interpolation import ActionLayout
from lbm_policy_node.core.types import Array, read_only


@dataclass(frozen=True, eq=False)
class Plan:
    """A piecewise interpolated motion.

    Attributes:
        times_ns: When each row is due, strictly rising.
        rows: Normalised actions, shape (n, action_dim), n at least 1.
    """

    times_ns: tuple[int, ...]
    rows: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", read_only(self.rows))

    @property
    def end_ns(self) -> int:
        """When the last row is due."""
        return self.times_ns[-1]

    def at(self, layout: ActionLayout, time_ns: int) -> Array:
        """Return the action due at an instant, shape (action_dim,); the nearest row outside of the plan."""
        after = bisect_right(self.times_ns, time_ns)
        if after == 0 or after == len(self.times_ns):
            return self.rows[0 if after == 0 else -1]
        start_ns = self.times_ns[after - 1]
        fraction = (time_ns - start_ns) / (self.times_ns[after] - start_ns)
        return layout.interpolate(self.rows[after - 1], self.rows[after], fraction)

    def from_row(self, first: int) -> "Plan":
        """Return the rest of the plan from a row on."""
        return Plan(self.times_ns[first:], self.rows[first:])
