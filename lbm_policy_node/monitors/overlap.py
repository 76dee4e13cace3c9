# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where two consecutive chunks plan the same instants.

```
previous  0   1   2   3   4   5   6   7          offset = 3.5 steps: whole 3, fraction 0.5
current               . 0   1   2   3   4  ...   row 0 lies between the previous rows 3 and 4
                        ^-----------^            4 rows of the current chunk are covered
```
"""

from dataclasses import dataclass

from lbm_policy_node.core.rotations import slerp
from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.monitors.columns import ScoredValues

WHOLE_WITHIN = 0.01
"""An offset this close (in steps) to a whole number of rows is one: stamps and step_ns are rounded."""

STRAIGHT_ABOVE = 1.0 - 5e-13
"""Between nearly equal rotations a straight line is as good; so near that no score depends on it."""


class PairError(ValueError):
    """Two chunks cannot be compared; the text says why."""


class NoOverlap(PairError):
    """Two chunks plan no instant in common."""


@dataclass(frozen=True)
class Overlap:
    """The rows that two chunks share.

    Attributes:
        n_steps: Rows 0 to n_steps - 1 of the current chunk.
        first: The previous chunk's row at or before the current row 0.
        fraction: How far the current row 0 lies beyond it, steps, 0 to below 1.
    """

    n_steps: int
    first: int
    fraction: float

    def of_current(self, actions: Array) -> Array:
        """The current chunk's rows, from shape (K, horizon, action_dim)."""
        return actions[:, : self.n_steps]

    def of_previous(self, actions: Array) -> Array:
        """The previous chunk's rows around them: n_steps of them, one more where there is a fraction."""
        return actions[:, self.first : self.first + self.n_steps + (self.fraction > 0.0)]

    def interpolated(self, values: ScoredValues) -> ScoredValues:
        """Move the previous chunk's values, axis 1 being rows, to the current chunk's instants."""
        if self.fraction == 0.0:
            return values
        linear, turns, fraction = values.linear, values.turns, self.fraction
        return ScoredValues(
            linear[:, :-1] + fraction * (linear[:, 1:] - linear[:, :-1]),
            slerp(turns[:, :-1], turns[:, 1:], fraction, straight_above=STRAIGHT_ABOVE),
        )


def find_overlap(previous: ActionChunk, current: ActionChunk, max_steps: int | None = None) -> Overlap:
    """Find the rows of the current chunk at times that the previous one covers.

    Args:
        previous: The earlier chunk.
        current: The later chunk, same horizon and step.
        max_steps: Use at most this many rows, the earliest ones; None is all.

    Raises:
        PairError: If horizon or step differ, or the current chunk starts first.
        NoOverlap: If there is no such row.
    """
    if max_steps is not None and max_steps < 1:
        raise ValueError(f"max_overlap_steps must be at least 1, is {max_steps}")
    if (previous.horizon, previous.step_ns) != (current.horizon, current.step_ns):
        raise PairError(
            f"chunk {current.chunk_id} has {current.horizon} rows of {current.step_ns} ns, "
            f"the one before it ({previous.chunk_id}) {previous.horizon} of {previous.step_ns} ns"
        )
    late_ns = current.start_ns - previous.start_ns
    if late_ns < 0:
        raise PairError(
            f"chunk {current.chunk_id} starts {-late_ns / 1e9:.3f} s before the previous one "
            f"({previous.chunk_id}): chunks are out of order or the clock went back"
        )
    first, rest_ns = divmod(late_ns, previous.step_ns)
    fraction = rest_ns / previous.step_ns
    if fraction >= 1.0 - WHOLE_WITHIN:
        first, fraction = first + 1, 0.0
    elif fraction <= WHOLE_WITHIN:
        fraction = 0.0
    n_steps = previous.horizon - first - (fraction > 0.0)
    if n_steps < 1:
        raise NoOverlap(
            f"chunk {current.chunk_id} starts at {current.start_ns / 1e9:.3f} s, but the previous one "
            f"({previous.chunk_id}) covers {previous.start_ns / 1e9:.3f} to {previous.end_ns / 1e9:.3f} s"
        )
    return Overlap(n_steps if max_steps is None else min(n_steps, max_steps), first, fraction)
