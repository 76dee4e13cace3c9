# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a stream of joints or poses says, believed only while it is plausible."""

from collections.abc import Callable, Iterable

from lbm_policy_node.core.clock_guard import ClockGuard
from lbm_policy_node.core.observation.joint_merger import JointMerger
from lbm_policy_node.core.observation.plausibility import Plausibility
from lbm_policy_node.core.observation.samples import JointSample, LazySample, Sample, decoded
from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import Selection, StreamSpec

CountPublishers = Callable[[str], int]
"""Returns how many publishers a topic has."""

RECOVERY_NS = 500_000_000
"""After a jump the stream must be plausible for so long; longer when jumps come again and again."""

LONGEST_RECOVERY_NS = 4_000_000_000
MEMORY_NS = LONGEST_RECOVERY_NS // 2
"""Jumps closer together than this belong together; the pause between them must pass twice without one."""


def unknown_publishers(topic: str) -> int:
    """Return 0: nobody can tell, as offline."""
    return 0


class MeasuredStream:
    """Merges messages and doubts the stream after a jump, until it has been plausible for a while.

    A genuine jump (a simulation that was reset) costs RECOVERY_NS; a clock that went back costs nothing.
    Not thread-safe.
    """

    def __init__(
        self,
        spec: RobotSpec,
        stream: StreamSpec,
        selections: Iterable[Selection],
        publishers: CountPublishers = unknown_publishers,
    ) -> None:
        """Start with nothing known.

        Args:
            spec: With the velocity limits.
            stream: One of its joint or pose streams.
            selections: What is needed of it.
            publishers: Asked once per jump, for the text.
        """
        self._stream, self._skew_ns, self._publishers = stream, spec.max_skew_ns, publishers
        self._merger = JointMerger(stream, selections)
        self._plausibility = Plausibility(spec, stream)
        self._clock = ClockGuard()
        self._doubt: Reason | None = None
        self._jump_ns: int | None = None
        self._recovery_ns = RECOVERY_NS

    def take(
        self, stamp_ns: int, value: Sample | LazySample, now_ns: int
    ) -> tuple[int, Sample | LazySample] | None:
        """Take a message; returns what is known after it and its stamp, or None where it is passed over.

        One that is too old, or ahead of the clock, is returned as it is: its stamp is refused elsewhere.
        """
        self._watch_clock(now_ns)
        if not -self._skew_ns <= now_ns - stamp_ns <= self._stream.max_age_ns:
            return stamp_ns, value
        sample = decoded(value)
        if jump := self._plausibility.judge(stamp_ns, sample):
            self._begin_doubt(str(jump), now_ns)
        elif self._jump_ns is not None and now_ns - self._jump_ns >= self._recovery_ns:
            self._doubt = None
        if isinstance(sample, JointSample):
            merged = self._merger.merge(stamp_ns, sample)
        else:
            merged = stamp_ns, sample
        return None if self._doubt else merged

    @property
    def incomplete(self) -> int:
        """How many messages held only some of the needed joints, or none."""
        return self._merger.incomplete

    def doubt(self, now_ns: int) -> Reason | None:
        """Return OBSERVATION_IMPLAUSIBLE while the stream is not believed."""
        self._watch_clock(now_ns)
        return self._doubt

    def _watch_clock(self, now_ns: int) -> None:
        if self._clock.jumped_back(now_ns):
            self._merger.restart()
            self._plausibility.restart()
            self._doubt, self._jump_ns = None, None

    def _begin_doubt(self, jump: str, now_ns: int) -> None:
        pause_ns = None if self._jump_ns is None else now_ns - self._jump_ns
        if pause_ns is None or pause_ns > MEMORY_NS:
            self._recovery_ns = RECOVERY_NS
        else:
            self._recovery_ns = max(self._recovery_ns, min(2 * pause_ns, LONGEST_RECOVERY_NS))
        self._jump_ns = now_ns
        topic = self._stream.topic
        if self._doubt is None:
            count = self._publishers(topic)
            who = f"; {topic} has {count} publishers" if count > 1 else ""
            text = f"'{self._stream.name}' ({topic}) is not believed: {jump}{who}"
            self._doubt = Reason(ReasonCode.OBSERVATION_IMPLAUSIBLE, text)
