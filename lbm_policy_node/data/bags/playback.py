# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag as a robot: what its sensors said, in the order and at the times of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.episodes.episode_header import EpisodeHeader

CLOCK_STEP_NS = 5_000_000
"""The clock goes on at least this finely between messages, so that timers of 100 Hz fire in time."""
NOT_SENSORS = ("/clock", "/rosout", "/parameter_events")


class Played(NamedTuple):
    """What is due: a message, or with an empty topic only the time."""

    topic: str
    log_ns: int
    data: bytes


def sensor_topics(bag: Bag, header: EpisodeHeader, spec: RobotSpec) -> dict[str, str]:
    """Return topic to type of what the robot sent by itself.

    Left out are the graph's own topics (chunks, verdicts, states, events), commands to controllers, what a
    operator commanded, and the clock.
    """
    teleop = {topic for source in spec.teleop for topic in (source.topic, source.dead_man.topic)}
    streams = {stream.topic for stream in spec.streams.values()}
    ours = {*header.roles.values(), *spec.action.by_topic(), *NOT_SENSORS, *(teleop - streams)}
    return {topic: kind for topic, kind in bag.types.items() if topic not in ours and bag.counts[topic]}


class Playback:
    """Hands out messages as time goes on. A context manager; not thread-safe."""

    def __init__(self, path: Path, topics: set[str], *, start_s: float = 0.0) -> None:
        """Name what is played.

        Args:
            path: Folder of the bag.
            topics: Which topics.
            start_s: Begin so long after the first message.
        """
        self._bag, self._topics, self._start_s = Bag(path), topics, start_s
        self._messages: Iterator[tuple[str, int, bytes]] = iter(())
        self._next: tuple[str, int, bytes] | None = None
        self.first_ns = self.now_ns = 0

    def __enter__(self) -> Playback:
        """Open.

        Raises:
            BagError: The bag cannot be read, or has nothing to play.
        """
        self._bag.__enter__()
        self.first_ns = self._bag.start_ns + round(self._start_s * 1e9)
        self.restart()
        if self._next is None:
            self.__exit__()
            text = f"has no message of {sorted(self._topics)} from second {self._start_s:g} on"
            raise BagError(f"'{self._bag.path}' {text}")
        return self

    def __exit__(self, *_: object) -> None:
        self._bag.__exit__()

    @property
    def finished(self) -> bool:
        """Whether everything has been handed out."""
        return self._next is None

    def restart(self) -> None:
        """Begin at the beginning."""
        self._messages = self._bag.raw(self._topics, start_ns=self.first_ns)
        self._next = next(self._messages, None)
        self.now_ns = self.first_ns

    def due(self, until_ns: int) -> Iterator[Played]:
        """Yield what is due up to a time, the clock's steps between the messages included."""
        while self._next is not None and self._next[1] <= until_ns:
            yield from self._clock_to(self._next[1] - 1)
            message = Played(*self._next)
            self.now_ns = message.log_ns
            self._next = next(self._messages, None)
            yield message
        if self._next is not None:
            yield from self._clock_to(until_ns)

    def _clock_to(self, time_ns: int) -> Iterator[Played]:
        while self.now_ns + CLOCK_STEP_NS <= time_ns:
            self.now_ns += CLOCK_STEP_NS
            yield Played("", self.now_ns, b"")
