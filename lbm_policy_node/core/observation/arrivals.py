# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The period of one stream, to know whether a sample is still on its way."""

from dataclasses import dataclass

PERIOD_TOLERANCE = 0.1
"""A stream may be this share of its period late and its next sample is still expected."""


@dataclass(frozen=True)
class Arrivals:
    """Stamp of a stream's newest sample, and the time between the last two; None before the second one."""

    newest_ns: int
    period_ns: int | None = None

    def then(self, stamp_ns: int) -> "Arrivals":
        """Return the rhythm after one more sample; one that goes back starts over."""
        if stamp_ns <= self.newest_ns:
            return Arrivals(stamp_ns)
        return Arrivals(stamp_ns, stamp_ns - self.newest_ns)

    def expected_by(self, stamp_ns: int) -> bool:
        """Whether a sample that has not arrived yet should be stamped so early."""
        if self.newest_ns >= stamp_ns or self.period_ns is None:
            return False
        return self.newest_ns + (1.0 - PERIOD_TOLERANCE) * self.period_ns <= stamp_ns
