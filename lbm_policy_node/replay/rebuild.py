# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Rebuild the observations behind each chunk, in one pass over the bag and with few images in memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lbm_policy_node.core.observation.alignment import AlignedSamples
from lbm_policy_node.core.observation.builder import ObservationBuilder
from lbm_policy_node.core.observation.sighting import Sighting
from lbm_policy_node.core.observation.stream_buffer import Stamped
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Observation
from lbm_policy_node.data.bags.bags import Bag
from lbm_policy_node.messages.samples import sample_from_message
from lbm_policy_node.replay.chunk_inputs import ChunkInputs, Row, header_stamp_ns, observation_topics

GIVE_UP_NS = 2_000_000_000
"""A message that reaches the recorder this much later than the chunk computed from it is taken as lost."""


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """A recorded chunk and what the policy saw.

    Attributes:
        inputs: The chunk and its messages.
        history: Oldest first; empty where it cannot be rebuilt.
        why: Why not; empty otherwise.
        missing: Stream and header stamp of each message that is not in the bag.
    """

    inputs: ChunkInputs
    history: tuple[Observation, ...]
    why: str = ""
    missing: tuple[tuple[str, int], ...] = ()


def rebuild(bag: Bag, spec: RobotSpec, inputs: Sequence[ChunkInputs]) -> Iterator[Rebuilt]:
    """Yield every chunk, in the given order, as soon as its messages have been read.

    Only messages that some chunk needs are decoded, and each is dropped after the last chunk that needs it.

    Raises:
        BagError: The bag is damaged, or lacks a stream.
    """
    todo, samples = deque(inputs), _Samples(inputs)
    builder = ObservationBuilder(spec)
    topics = observation_topics(bag, spec)
    for topic, log_ns, data in bag.raw(topics):
        stamp_ns = header_stamp_ns(bag, topic, log_ns, data)
        for stream in topics[topic]:
            if samples.needs(stream.name, stamp_ns):
                value = sample_from_message(bag.decode(topic, log_ns, data).value, stream.type)
                samples.put(stream.name, Stamped(stamp_ns, log_ns, value))
        while todo and (samples.complete(todo[0]) or log_ns > todo[0].log_ns + GIVE_UP_NS):
            yield _finish(todo.popleft(), samples, builder, spec)
    while todo:
        yield _finish(todo.popleft(), samples, builder, spec)


class _Samples:
    """The decoded messages that a chunk still waits for."""

    def __init__(self, inputs: Sequence[ChunkInputs]) -> None:
        self._uses = Counter(key for one in inputs for row in one.rows for key in row.items())
        self._held: dict[tuple[str, int], Stamped] = {}

    def needs(self, stream: str, stamp_ns: int) -> bool:
        return self._uses[stream, stamp_ns] > 0

    def put(self, stream: str, sample: Stamped) -> None:
        self._held[stream, sample.stamp_ns] = sample

    def complete(self, inputs: ChunkInputs) -> bool:
        return all(key in self._held for row in inputs.rows for key in row.items())

    def missing(self, inputs: ChunkInputs) -> list[tuple[str, int]]:
        return [key for row in inputs.rows for key in row.items() if key not in self._held]

    def of(self, row: Row) -> dict[str, Stamped]:
        return {key[0]: self._held[key] for key in row.items()}

    def release(self, inputs: ChunkInputs) -> None:
        for key in (key for row in inputs.rows for key in row.items()):
            self._uses[key] -= 1
            if not self._uses[key]:
                del self._uses[key]
                self._held.pop(key, None)


def _finish(inputs: ChunkInputs, samples: _Samples, builder: ObservationBuilder, spec: RobotSpec) -> Rebuilt:
    missing = samples.missing(inputs)
    if inputs.why or missing:
        result = Rebuilt(inputs, (), inputs.why or _absent(missing[0], spec), tuple(missing))
    else:
        result = _build(inputs, samples, builder)
    samples.release(inputs)
    return result


def _absent(key: tuple[str, int], spec: RobotSpec) -> str:
    stream, stamp_ns = key
    return f"no message of '{stream}' ({spec.streams[stream].topic}) is stamped {stamp_ns * 1e-9:.9f} s"


def _build(inputs: ChunkInputs, samples: _Samples, builder: ObservationBuilder) -> Rebuilt:
    """Rows that repeat are one object, as in the live history."""
    built: dict[tuple[tuple[str, int], ...], Observation] = {}
    history: list[Observation] = []
    for row in inputs.rows:
        key = tuple(row.items())
        if key not in built:
            aligned = AlignedSamples(max(row.values()), samples.of(row))
            observation = Sighting(aligned, builder).build(inputs.chunk.instruction)
            if isinstance(observation, Reason):
                return Rebuilt(inputs, (), observation.text)
            built[key] = observation
        history.append(built[key])
    return Rebuilt(inputs, tuple(history))
