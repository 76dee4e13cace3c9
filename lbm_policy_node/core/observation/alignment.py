# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Pick, from streams of different rates, the samples that belong to one instant.

The rule, the same live and from bags:

1. Candidates are the stamps of all image streams (of all streams where there is no image), newest first.
2. From every stream comes the latest sample at or before the candidate: what was known at that instant.
3. The first candidate is taken whose samples all lie within max_skew of it, so of each other.
4. Every chosen sample must be younger than its stream's maximum age; no older candidate could be.

```
front   |--------F--------F--------F            candidate c = newest front frame
wrist   |-----W--------W--------W--.            W at or before c, within max_skew
joints  |jjjjjjjjjjjjjjjjjjjjjjjjjjj            j at or before c
                                   c    now     now - stamp <= max_age, per stream
```
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lbm_policy_node.core.clock_guard import ClockGuard
from lbm_policy_node.core.observation.samples import LazySample, Sample
from lbm_policy_node.core.observation.stamps import ahead_text, too_old_text
from lbm_policy_node.core.observation.stream_buffer import Stamped, StreamBuffer
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.spec_streams import StreamSpec


@dataclass(frozen=True, eq=False)
class AlignedSamples:
    """Samples that belong together.

    Attributes:
        stamp_ns: The instant: the newest stamp among them.
        samples: Stream name to sample.
    """

    stamp_ns: int
    samples: Mapping[str, Stamped]


class StreamAligner:
    """Buffers streams and aligns them. Not thread-safe: push and align from one thread or under one lock."""

    def __init__(self, streams: tuple[StreamSpec, ...], max_skew_ns: int) -> None:
        """Make empty buffers.

        Args:
            streams: What an aligned set consists of.
            max_skew_ns: Largest stamp difference within a set, and how far a stamp may be ahead of now.
        """
        if not streams:
            raise ValueError("alignment needs at least one stream")
        self._streams = {stream.name: stream for stream in streams}
        self._max_skew_ns = max_skew_ns
        window_ns = max(stream.max_age_ns for stream in streams) + 2 * max_skew_ns
        self._buffers = {name: StreamBuffer(window_ns) for name in self._streams}
        self._references = [s.name for s in streams if s.is_image] or list(self._streams)
        self._clock = ClockGuard()
        self._jumped = False
        self._ahead: dict[str, Stamped] = {}
        self._last_ns: dict[str, int] = {}

    def push(self, stream: str, stamp_ns: int, value: Sample | LazySample, now_ns: int) -> None:
        """Add a sample.

        Args:
            stream: Its stream.
            stamp_ns: Header stamp.
            value: What arrived, decoded or not; it is referenced, not copied or looked at.
            now_ns: The clock on arrival.
        """
        self._watch_clock(now_ns)
        self._last_ns[stream] = stamp_ns
        self._ahead.pop(stream, None)
        if stamp_ns > now_ns + self._max_skew_ns:
            self._ahead[stream] = Stamped(stamp_ns, now_ns, value)
        else:
            self._buffers[stream].push(stamp_ns, now_ns, value)

    def align(self, now_ns: int) -> AlignedSamples | Reason:
        """Return the newest set that fits together, or why there is none."""
        self._watch_clock(now_ns)
        if self._jumped:
            self._jumped = False
            return Reason(ReasonCode.CLOCK_JUMPED, "the clock went back; buffered samples were dropped")
        if reason := self._still_ahead(now_ns) or self._missing() or self._too_old(self._newest(), now_ns):
            return reason
        chosen = self._choose()
        if chosen is None:
            return self._skewed()
        return self._too_old(chosen, now_ns) or AlignedSamples(
            max(s.stamp_ns for s in chosen.values()), chosen
        )

    def _watch_clock(self, now_ns: int) -> None:
        if self._clock.jumped_back(now_ns):
            self._jumped = True
            self._ahead.clear()
            for buffer in self._buffers.values():
                buffer.restart(now_ns)

    def _newest(self) -> dict[str, Stamped]:
        newest = ((name, buffer.newest()) for name, buffer in self._buffers.items())
        return {name: sample for name, sample in newest if sample}

    def _missing(self) -> Reason | None:
        absent = [name for name in self._streams if self._buffers[name].newest() is None]
        if not absent:
            return None
        where = ", ".join(f"'{name}' ({self._streams[name].topic})" for name in absent)
        return Reason(ReasonCode.OBSERVATION_MISSING, f"nothing has arrived on {where}")

    def _still_ahead(self, now_ns: int) -> Reason | None:
        for name, sample in list(self._ahead.items()):
            if text := ahead_text(name, sample.stamp_ns, now_ns, self._max_skew_ns):
                return Reason(ReasonCode.OBSERVATION_SKEWED, text)
            self._buffers[name].push(*self._ahead.pop(name))  # the clock has caught up
        return None

    def _too_old(self, samples: Mapping[str, Stamped], now_ns: int) -> Reason | None:
        for name, sample in samples.items():
            if text := too_old_text(self._streams[name], sample.stamp_ns, now_ns):
                zero = too_old_text(self._streams[name], 0, now_ns)
                return Reason(ReasonCode.OBSERVATION_STALE, text if self._last_ns[name] else zero)
        return None

    def _choose(self) -> dict[str, Stamped] | None:
        stamps = {stamp for name in self._references for stamp in self._buffers[name].stamps()}
        for stamp_ns in sorted(stamps, reverse=True):
            chosen = {name: buffer.at_or_before(stamp_ns) for name, buffer in self._buffers.items()}
            found = {n: s for n, s in chosen.items() if s and stamp_ns - s.stamp_ns <= self._max_skew_ns}
            if len(found) == len(chosen):
                return found
        return None

    def _skewed(self) -> Reason:
        newest = {name: sample.stamp_ns for name, sample in self._newest().items()}
        oldest, latest = min(newest, key=newest.__getitem__), max(newest, key=newest.__getitem__)
        text = f"'{oldest}' lies {(newest[latest] - newest[oldest]) / 1e9:.3f} s behind '{latest}'"
        return Reason(
            ReasonCode.OBSERVATION_SKEWED, f"{text} and no set fits within {self._max_skew_ns / 1e9:.3f} s"
        )
