# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The recent samples of one stream, ordered by header stamp and bounded."""

from bisect import bisect_right, insort
from typing import NamedTuple

from lbm_policy_node.core.observation.samples import LazySample, Sample

MAX_SAMPLES = 1024
"""More than a window of joint states at 1 kHz; images are bounded by the window."""


class Stamped(NamedTuple):
    """One sample; received_ns is the clock when it arrived."""

    stamp_ns: int
    received_ns: int
    value: Sample | LazySample


class StreamBuffer:
    """Samples of the last window; references are kept, nothing is copied."""

    def __init__(self, window_ns: int) -> None:
        """Make an empty buffer.

        Args:
            window_ns: Samples older than this, both by stamp and by arrival, are dropped.
        """
        self._window_ns = window_ns
        self._samples: list[Stamped] = []

    def push(self, stamp_ns: int, received_ns: int, value: Sample | LazySample) -> None:
        """Insert a sample by stamp; one of the same stamp is replaced."""
        samples = self._samples
        sample = Stamped(stamp_ns, received_ns, value)
        if not samples or stamp_ns > samples[-1].stamp_ns:
            samples.append(sample)
        else:
            at = self._index(stamp_ns)
            if at > 0 and samples[at - 1].stamp_ns == stamp_ns:
                samples[at - 1] = sample
            else:
                insort(samples, sample, key=_stamp)
        self._prune(received_ns)

    def newest(self) -> Stamped | None:
        """Return the sample with the latest stamp."""
        return self._samples[-1] if self._samples else None

    def at_or_before(self, stamp_ns: int) -> Stamped | None:
        """Return the latest sample that is not after an instant."""
        at = self._index(stamp_ns)
        return self._samples[at - 1] if at else None

    def stamps(self) -> list[int]:
        """Return all stamps, oldest first."""
        return [sample.stamp_ns for sample in self._samples]

    def restart(self, now_ns: int) -> None:
        """Drop what belongs to the time before the clock jumped back to now.

        A sample that looked too old already when it arrived was the first of the new time, ahead of the clock
        message: it stays. Without that a simulator in lock-step would wait for ever for an answer to it.
        """
        self._samples = [
            s for s in self._samples if s.received_ns - s.stamp_ns > self._window_ns and s.stamp_ns <= now_ns
        ]

    def _index(self, stamp_ns: int) -> int:
        return bisect_right(self._samples, stamp_ns, key=_stamp)

    def _prune(self, now_ns: int) -> None:
        samples = self._samples
        oldest_ns, arrived_ns = samples[-1].stamp_ns - self._window_ns, now_ns - self._window_ns
        drop = max(0, len(samples) - MAX_SAMPLES)
        while samples[drop].stamp_ns < oldest_ns and samples[drop].received_ns < arrived_ns:
            drop += 1
        del samples[:drop]


def _stamp(sample: Stamped) -> int:
    return sample.stamp_ns
