# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""How many control ticks a simulation owes at a given wall time."""

from __future__ import annotations

_WINDOW_NS = 1_000_000_000


class Pacer:
    """Keeps simulated time at a multiple of wall time, and measures the multiple that was reached.

    A late caller catches up by a few ticks at once; what it cannot catch up is given up, so that a slow
    machine simulates slowly instead of in bursts::

        wall   0    12.5   25 (busy rendering) 50    62.5 ms
        ticks  1    1      -                   3     1
    """

    def __init__(self, *, tick_ns: int, real_time_factor: float, max_burst: int = 4) -> None:
        self._wall_per_tick_ns = tick_ns / real_time_factor
        self._tick_ns, self._max_burst = tick_ns, max_burst
        self._next_ns: float | None = None
        self._window_start_ns: int | None = None
        self._window_ticks = 0
        self.achieved_factor = 0.0

    def due_ticks(self, now_ns: int) -> int:
        """Return how many ticks to run now, at most ``max_burst``; call it again when they are done.

        Args:
            now_ns: Steady wall time.
        """
        if self._next_ns is None:
            self._next_ns = float(now_ns)
        owed = int((now_ns - self._next_ns) // self._wall_per_tick_ns) + 1
        ticks = min(max(owed, 0), self._max_burst)
        self._next_ns += ticks * self._wall_per_tick_ns
        if owed > self._max_burst:
            self._next_ns = now_ns + self._wall_per_tick_ns
        self._measure(now_ns, ticks)
        return ticks

    def restart(self) -> None:
        """Forget the debt, after a pause that was no simulated time (a reset)."""
        self._next_ns = self._window_start_ns = None

    def _measure(self, now_ns: int, ticks: int) -> None:
        if self._window_start_ns is None:
            self._window_start_ns, self._window_ticks = now_ns, 0
            return
        self._window_ticks += ticks
        elapsed_ns = now_ns - self._window_start_ns
        if elapsed_ns >= _WINDOW_NS:
            self.achieved_factor = self._window_ticks * self._tick_ns / elapsed_ns
            self._window_start_ns, self._window_ticks = now_ns, 0
