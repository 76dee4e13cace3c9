# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Notice that the ROS clock went backwards (a simulation was reset, a bag started over)."""

TOLERANCE_NS = 20_000_000
"""Threads read the clock in one order and report in another, and NTP steps by milliseconds: not a jump."""


class ClockGuard:
    """Remembers the latest time."""

    def __init__(self) -> None:
        self._latest_ns: int | None = None

    def jumped_back(self, now_ns: int) -> bool:
        """Note the time; return whether it lies clearly before the latest one, and then start from it."""
        latest = self._latest_ns
        if latest is not None and now_ns < latest - TOLERANCE_NS:
            self._latest_ns = now_ns
            return True
        self._latest_ns = now_ns if latest is None else max(latest, now_ns)
        return False
