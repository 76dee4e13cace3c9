# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Last, median and 99th percentile of a duration, over a window."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

WINDOW = 100


@dataclass(frozen=True)
class Latency:
    """A summary in seconds; NaN before the first value."""

    last_s: float = math.nan
    median_s: float = math.nan
    p99_s: float = math.nan


class LatencyStatistics:
    """Durations of the last ``WINDOW`` events; the first one is warm-up and left out.

    The first inference loads kernels and allocates memory; it is seconds where the rest are milliseconds.
    """

    def __init__(self) -> None:
        """Start without values."""
        self._values: deque[float] = deque(maxlen=WINDOW)
        self._warm = False
        self._summary: Latency | None = Latency()

    def add(self, duration_s: float) -> None:
        """Count one duration."""
        if self._warm:
            self._values.append(duration_s)
            self._summary = None
        self._warm = True

    def summary(self) -> Latency:
        """Summarize the window; cheap while nothing is added, since status asks on every sample."""
        if self._summary is None:
            median, p99 = np.percentile(self._values, [50, 99])
            self._summary = Latency(self._values[-1], float(median), float(p99))
        return self._summary
