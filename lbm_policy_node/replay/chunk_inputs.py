# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Which messages each recorded chunk was computed from.

Chunks name them (`input_streams`, `input_stamps_ns`). Where they do not, because the bag is older than these
fields, or where another policy takes more history than was recorded, the messages are found as live: the
aligner of core at the instant of the chunk, and `step` apart before it, but not before the run began.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lbm_policy_node.core.observation.alignment import StreamAligner
from lbm_policy_node.core.reasons import OK, Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_streams import StreamSpec
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.data.bags.bags import Bag, BagError
from lbm_policy_node.data.episodes.episode_records import RecordedChunk
from lbm_policy_node.messages.stamps import stamp_ns_of_cdr

Row = Mapping[str, int]
"""One observation's messages: stream to header stamp, ns."""


@dataclass(frozen=True)
class ChunkInputs:
    """What a chunk was computed from.

    Attributes:
        chunk: The recorded chunk.
        log_ns: ROS time of its arrival at the recorder.
        rows: Per history step, oldest first; empty where that cannot be found out.
        why: Why not; empty otherwise.
        assumed: The rows are what the aligner finds, not what the chunk says.
    """

    chunk: ActionChunk
    log_ns: int
    rows: tuple[Row, ...]
    why: str = ""
    assumed: bool = False


def find_inputs(
    bag: Bag, spec: RobotSpec, chunks: Sequence[RecordedChunk], n_obs_steps: int
) -> list[ChunkInputs]:
    """Say what must be read for each chunk, in the chunks' order.

    Args:
        bag: Open.
        spec: Names the streams of an observation.
        chunks: In order of arrival.
        n_obs_steps: Observations that the policy takes.

    Raises:
        BagError: A stream of the observation is not in the bag.
    """
    topics = observation_topics(bag, spec)
    named = [_named(recorded, spec, n_obs_steps) for recorded in chunks]
    if all(inputs is not None for inputs in named):
        return [inputs for inputs in named if inputs is not None]
    finder = _Finder(spec, _stamps(bag, topics))
    instants = _instants(chunks, spec, n_obs_steps, finder)
    rows = finder.align({ns for times in instants for ns in times})
    return [
        known or _assumed(recorded, [rows[ns] for ns in times])
        for recorded, known, times in zip(chunks, named, instants, strict=True)
    ]


def observation_topics(bag: Bag, spec: RobotSpec) -> dict[str, list[StreamSpec]]:
    """Return topic to streams of what observations are made of.

    Raises:
        BagError: A topic is not in the bag, or was recorded with another type.
    """
    topics: dict[str, list[StreamSpec]] = {}
    for stream in spec.observation_streams:
        found = bag.types.get(stream.topic)
        if found is None or not bag.counts[stream.topic]:
            text = f"{stream.topic} (stream '{stream.name}' of {spec.file}) was not recorded"
            raise BagError(f"'{bag.path}': {text}; without it no observation can be rebuilt")
        if found != stream.type:
            text = f"{stream.topic} was recorded as {found}, {spec.file} says {stream.type}"
            raise BagError(f"'{bag.path}': {text}")
        topics.setdefault(stream.topic, []).append(stream)
    return topics


def header_stamp_ns(bag: Bag, topic: str, log_ns: int, data: bytes) -> int:
    """Return the header stamp of a message that is still serialised.

    Raises:
        BagError: It is too short.
    """
    try:
        return stamp_ns_of_cdr(data)
    except ValueError as error:
        raise BagError(f"'{bag.path}': a message of {topic} at {log_ns} ns is broken: {error}") from error


def _named(recorded: RecordedChunk, spec: RobotSpec, n_obs_steps: int) -> ChunkInputs | None:
    """What the chunk itself says; None where it says too little."""
    chunk = recorded.chunk
    if not chunk.input_streams or len(chunk.input_stamps_ns) < n_obs_steps:
        return None
    needed = {stream.name for stream in spec.observation_streams}
    if missing := sorted(needed - set(chunk.input_streams)):
        why = f"it was computed without the streams {missing} that {spec.file} asks for"
        return ChunkInputs(chunk, recorded.log_ns, (), why)
    rows = (
        {name: ns for name, ns in zip(chunk.input_streams, row, strict=True) if name in needed}
        for row in chunk.input_stamps_ns[-n_obs_steps:]
    )
    return ChunkInputs(chunk, recorded.log_ns, tuple(rows))


def _assumed(recorded: RecordedChunk, rows: Sequence[Row | Reason]) -> ChunkInputs:
    """What the aligner found, if it found all of it."""
    reason = next((row for row in rows if isinstance(row, Reason)), OK)
    found = tuple(row for row in rows if not isinstance(row, Reason))
    if not reason.ok:
        return ChunkInputs(
            recorded.chunk, recorded.log_ns, (), f"no observation can be aligned: {reason.text}"
        )
    if (newest_ns := max(found[-1].values())) != recorded.chunk.observation_stamp_ns:
        why = f"the newest observation that can be aligned for it is stamped {newest_ns * 1e-9:.9f} s"
        return ChunkInputs(recorded.chunk, recorded.log_ns, (), why)
    return ChunkInputs(recorded.chunk, recorded.log_ns, found, assumed=True)


def _stamps(bag: Bag, topics: Mapping[str, Sequence[StreamSpec]]) -> list[tuple[int, str]]:
    """Header stamp and stream of every message, sorted by stamp."""
    messages = bag.raw(topics)
    found = ((header_stamp_ns(bag, *message), message[0]) for message in messages)
    return sorted((ns, stream.name) for ns, topic in found for stream in topics[topic])


def _instants(
    chunks: Sequence[RecordedChunk], spec: RobotSpec, n_obs_steps: int, finder: _Finder
) -> list[tuple[int, ...]]:
    """When each chunk's observations were made, oldest first, as core.history chooses them."""
    found: list[tuple[int, ...]] = []
    first_ns = before = -1
    for _, chunk in chunks:
        newest_ns = chunk.observation_stamp_ns
        if chunk.index == 0 or first_ns < 0 or chunk.index <= before:
            first_ns = newest_ns
        before = chunk.index
        back = ((n_obs_steps - 1 - i) * spec.step_ns for i in range(n_obs_steps))
        found.append(tuple(finder.nearest(max(newest_ns - ns, first_ns)) for ns in back))
    return found


class _Finder:
    """Aligns the streams at given instants, knowing their stamps only."""

    def __init__(self, spec: RobotSpec, stamps: Sequence[tuple[int, str]]) -> None:
        self._spec, self._stamps = spec, stamps
        images = {stream.name for stream in spec.observation_streams if stream.is_image}
        self._references = [ns for ns, name in stamps if name in images or not images]

    def nearest(self, time_ns: int) -> int:
        """The candidate of the aligner that lies nearest."""
        at = bisect_left(self._references, time_ns)
        around = self._references[max(0, at - 1) : at + 1]
        return min(around, key=lambda ns: abs(ns - time_ns))

    def align(self, instants: set[int]) -> dict[int, Row | Reason]:
        """Return what belongs to each instant."""
        aligner = StreamAligner(self._spec.observation_streams, self._spec.max_skew_ns)
        placeholder, found, at = Reason(OK.code, ""), dict[int, Row | Reason](), 0
        for now_ns in sorted(instants):
            while at < len(self._stamps) and self._stamps[at][0] <= now_ns:
                stamp_ns, name = self._stamps[at]
                aligner.push(name, stamp_ns, placeholder, stamp_ns)
                at += 1
            aligned = aligner.align(now_ns)
            if isinstance(aligned, Reason):
                found[now_ns] = aligned
            else:
                found[now_ns] = {name: sample.stamp_ns for name, sample in aligned.samples.items()}
        return found
