# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded episode as values: who drove, what was proposed, sent and judged; images only when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.core.types import Array
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.episodes.episode_header import ROLES, SPEC_FILE, EpisodeHeader
from lbm_policy_node.data.episodes.episode_records import (
    ControlTicks,
    EventKind,
    Outcome,
    RecordedChunk,
    RecordedEvent,
    RecordedSample,
    RecordedVerdict,
)
from lbm_policy_node.messages.chunks import chunk_from_message
from lbm_policy_node.messages.samples import lazy_sample
from lbm_policy_node.messages.stamps import to_ns

_OUTCOMES = {
    EventKind.SUCCESS: Outcome.SUCCESS,
    EventKind.FAILURE: Outcome.FAILURE,
    EventKind.DISCARDED: Outcome.DISCARDED,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Episode:
    """Everything but images.

    Attributes:
        path: Its folder.
        header: What was known at the beginning.
        spec: The robot spec of then.
        ticks: Every control tick.
        chunks: Every chunk that can be read, in order of arrival.
        broken_chunks: Why a chunk message is no chunk, one text each.
        verdicts: Every verdict, in order of arrival.
        events: Every event, by stamp.
        counts: Topic to number of messages.
        dropped: Messages that the recorder lost, as it said itself.
        start_ns, end_ns: ROS time of the beginning, before which the bag holds only what the first chunk was
            computed from, and just after the last message.
    """

    path: Path
    header: EpisodeHeader
    spec: RobotSpec
    ticks: ControlTicks
    chunks: tuple[RecordedChunk, ...]
    broken_chunks: tuple[str, ...]
    verdicts: tuple[RecordedVerdict, ...]
    events: tuple[RecordedEvent, ...]
    counts: Mapping[str, int]
    dropped: int
    start_ns: int
    end_ns: int

    @property
    def outcome(self) -> Outcome:
        """The last report of success or failure; a discarded episode stays discarded."""
        words = [_OUTCOMES[event.kind] for event in self.events if event.kind in _OUTCOMES]
        if Outcome.DISCARDED in words:
            return Outcome.DISCARDED
        return words[-1] if words else Outcome.UNKNOWN

    @property
    def duration_s(self) -> float:
        """ROS time from the beginning to the last message, s."""
        return (self.end_ns - self.start_ns) * 1e-9

    @property
    def human_intervals_ns(self) -> list[tuple[int, int]]:
        """First and last tick of each stretch in which the operator drove, ROS time."""
        human = np.concatenate(([False], self.ticks.modes == ControlMode.HUMAN, [False]))
        edges = np.flatnonzero(human[1:] != human[:-1])
        stamps = self.ticks.stamps_ns
        return [(int(stamps[a]), int(stamps[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]

    def samples(
        self, streams: Iterable[str] | None = None, *, start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[RecordedSample]:
        """Yield what the spec's streams said, in the order of arrival.

        Args:
            streams: Names in the spec; all by default.
            start_ns, stop_ns: Bounds of the time of arrival.

        Raises:
            BagError: A stream was recorded with another type than the spec's.
        """
        chosen = [self.spec.streams[name] for name in (self.spec.streams if streams is None else streams)]
        with Bag(self.path) as bag:
            for stream in chosen:
                if (found := bag.types.get(stream.topic, stream.type)) != stream.type:
                    text = f"{stream.topic} was recorded as {found}, the spec says {stream.type}"
                    raise BagError(f"'{self.path}': {text}")
            by_topic: dict[str, list[Any]] = {}
            for stream in chosen:
                by_topic.setdefault(stream.topic, []).append(stream)
            for message in bag.messages(by_topic, start_ns=start_ns, stop_ns=stop_ns):
                stamp_ns = to_ns(message.value.header.stamp)
                for stream in by_topic[message.topic]:
                    sample = lazy_sample(message.value, stream.type)
                    yield RecordedSample(stream.name, stamp_ns, message.log_ns, sample)


def read_episode(path: Path) -> Episode:
    """Read an episode.

    Raises:
        BagError: The folder holds no episode, its bag is unfinished or damaged, or its spec cannot be read.
    """
    header = EpisodeHeader.read(path)
    try:
        spec = RobotSpec.load(path / SPEC_FILE)
    except (SpecError, OSError) as error:
        raise BagError(f"'{path}': the robot spec of the recording cannot be read: {error}") from error
    role_of = {topic: role for role, topic in header.roles.items()}
    found: dict[str, list[tuple[int, Any]]] = {role: [] for role in header.roles}
    with Bag(path) as bag:
        _check_types(bag, header)
        for message in bag.messages(role_of):
            found[role_of[message.topic]].append((message.log_ns, message.value))
        counts, custom = dict(bag.counts), bag.custom_data
        start_ns = max(bag.start_ns, header.started_ns)
        end_ns = max(bag.end_ns, start_ns)
    chunks, broken = _chunks(found.get("action_chunks", []))
    return Episode(
        path=path,
        header=header,
        spec=spec,
        ticks=_ticks([value for _, value in found.get("control_state", [])], spec.action_dim),
        chunks=chunks,
        broken_chunks=broken,
        verdicts=tuple(_verdict(log_ns, value) for log_ns, value in found.get("monitor_verdicts", [])),
        events=_events(path, [value for _, value in found.get("episode_events", [])]),
        counts=counts,
        dropped=_dropped(custom),
        start_ns=start_ns,
        end_ns=end_ns,
    )


def _check_types(bag: Bag, header: EpisodeHeader) -> None:
    for role, topic in header.roles.items():
        if bag.counts.get(topic) and (found := bag.types[topic]) != ROLES[role]:
            raise BagError(f"'{bag.path}': {topic} was recorded as {found}; expected {ROLES[role]}")


def _dropped(custom: Mapping[str, str]) -> int:
    """What the recorder lost; 0 where another tool has left no number."""
    text = str(custom.get("dropped", 0))
    return int(text) if text.isdecimal() else 0


def _ticks(messages: list[Any], columns: int) -> ControlTicks:
    messages = sorted(messages, key=lambda message: to_ns(message.header.stamp))
    return ControlTicks(
        stamps_ns=np.array([to_ns(m.header.stamp) for m in messages], np.int64),
        modes=np.array([m.mode for m in messages], np.int8),
        chunk_ids=np.array([m.chunk_id for m in messages], np.int64),
        proposed=_rows([m.proposed for m in messages], columns),
        executed=_rows([m.executed for m in messages], columns),
        enabled=np.array([m.control_enabled for m in messages], bool),
        reasons=tuple((int(m.reason.code), str(m.reason.text)) for m in messages),
        sources=tuple(str(m.source) for m in messages),
    )


def _rows(values: list[Any], columns: int) -> Array:
    rows = np.full((len(values), columns), np.nan)
    for row, value in zip(rows, values, strict=True):
        if len(value) == columns:
            row[:] = value
    return rows


def _chunks(messages: list[tuple[int, Any]]) -> tuple[tuple[RecordedChunk, ...], tuple[str, ...]]:
    chunks: list[RecordedChunk] = []
    broken: list[str] = []
    for log_ns, message in messages:
        try:
            chunks.append(RecordedChunk(log_ns, chunk_from_message(message)))
        except ValueError as error:
            broken.append(str(error))
    return tuple(chunks), tuple(broken)


def _verdict(log_ns: int, message: Any) -> RecordedVerdict:
    return RecordedVerdict(
        log_ns=log_ns,
        stamp_ns=to_ns(message.header.stamp),
        chunk_id=int(message.chunk_id),
        level=int(message.level),
        monitor=str(message.monitor),
        detector=str(message.detector),
        score=float(message.score),
        statistic=float(message.statistic),
        warn_threshold=float(message.warn_threshold),
        stop_threshold=float(message.stop_threshold),
        overlap_steps=int(message.overlap_steps),
        n_samples=int(message.n_samples),
        calibration_id=str(message.calibration_id),
        text=str(message.text),
    )


def _events(path: Path, messages: list[Any]) -> tuple[RecordedEvent, ...]:
    try:
        events = [
            RecordedEvent(
                stamp_ns=to_ns(message.header.stamp),
                kind=EventKind(message.event),
                episode_id=message.episode_id,
                instruction=message.instruction,
                checkpoint_id=message.checkpoint_id,
                termination_reason=int(message.termination_reason),
                source=message.source,
                text=message.text,
            )
            for message in messages
        ]
    except ValueError as error:
        raise BagError(f"'{path}': an episode event is not known: {error}; update lbm_policy") from error
    return tuple(sorted(events, key=lambda event: event.stamp_ns))
