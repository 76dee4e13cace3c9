# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""When to try again after failures in a row: soon at first, then ever more rarely."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_S, LONGEST_S = 0.25, 4.0


class BackOff:
    """Doubles the waiting time with each failure in a row."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without failures; the clock returns seconds."""
        self._clock = clock
        self._failures, self._not_before = 0, 0.0

    def remaining_s(self) -> float:
        """Return how long to wait before the next attempt, s; 0 when it may be made."""
        return max(0.0, self._not_before - self._clock()) if self._failures else 0.0

    def fail(self) -> None:
        """Count an attempt that failed."""
        self._not_before = self._clock() + min(FIRST_S * 2**self._failures, LONGEST_S)
        self._failures = min(self._failures + 1, 16)

    def succeed(self) -> None:
        """Forget the failures."""
        self._failures = 0
