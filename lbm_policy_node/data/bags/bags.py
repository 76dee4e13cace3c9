# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads a rosbag2 directory without ROS: messages as they arrived, by the definitions inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore


class BagError(ValueError):
    """A bag that cannot be read; names the file and what to do."""


@dataclass(frozen=True, eq=False)
class BagMessage:
    """One message.

    Attributes:
        topic: Where it was published.
        log_ns: ROS time of its arrival at the recorder.
        value: An object with the fields of its type; number arrays are numpy arrays.
    """

    topic: str
    log_ns: int
    value: Any


class _UnreadableDefinition(ValueError):
    """Which, and why."""


class Bag:
    """A context manager around one bag.

    Attributes:
        path: Its folder.
        types: Topic to ROS message type.
        counts: Topic to number of messages.
        custom_data: Facts about the whole recording.
    """

    def __init__(self, path: Path) -> None:
        """Name the bag; entering opens it."""
        self.path = path
        self.types: Mapping[str, str] = {}
        self.counts: Mapping[str, int] = {}
        self.custom_data: Mapping[str, str] = {}

    def __enter__(self) -> Bag:
        """Open.

        Raises:
            BagError: There is no bag, it is unfinished or damaged, or a definition in it cannot be read.
        """
        if not self.path.is_dir():
            raise BagError(f"'{self.path}' is no folder with a recorded episode")
        if not (self.path / "metadata.yaml").is_file():
            raise BagError(
                f"'{self.path}' has no metadata.yaml: it is no bag, is being recorded, or its "
                f"recorder was killed; in the last case run: lbm episodes repair '{self.path}'"
            )
        try:
            self._reader = Reader(self.path)
            self._reader.open()
        except (ReaderError, OSError, ValueError) as error:
            raise self._damaged(error) from error
        self.types = {c.topic: c.msgtype for c in self._reader.connections}
        self.counts = {c.topic: c.msgcount for c in self._reader.connections}
        storage = self._reader.storage
        self.custom_data = dict(storage.metadata.custom or {})
        self._register()
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @property
    def start_ns(self) -> int:
        """ROS time of the first message."""
        return self._reader.start_time

    @property
    def end_ns(self) -> int:
        """ROS time just after the last message."""
        return self._reader.end_time

    def messages(
        self, topics: Iterable[str] | None = None, *, start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[BagMessage]:
        """Yield messages in the order of arrival.

        Args:
            topics: Which topics; all by default. Those that are not in the bag are passed over.
            start_ns: From this time of arrival on.
            stop_ns: Before this time of arrival.

        Raises:
            BagError: The file is damaged, or a message does not fit its definition.
        """
        for topic, log_ns, data in self.raw(topics, start_ns=start_ns, stop_ns=stop_ns):
            yield self.decode(topic, log_ns, data)

    def decode(self, topic: str, log_ns: int, data: bytes) -> BagMessage:
        """Decode what `raw` yielded.

        Raises:
            BagError: The message does not fit its definition.
        """
        try:
            return BagMessage(topic, log_ns, self._store.deserialize_cdr(data, self.types[topic]))
        except Exception as error:  # rosbags raises whatever its generated code meets
            text = f"a message of {topic} at {log_ns} ns does not fit {self.types[topic]}: {error}"
            raise BagError(f"'{self.path}': {text}") from error

    def raw(
        self, topics: Iterable[str] | None = None, *, start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of arrival and CDR bytes, as `messages` does."""
        names = None if topics is None else set(topics)
        chosen = [c for c in self._reader.connections if names is None or c.topic in names]
        if not chosen:
            return
        try:
            for connection, log_ns, data in self._reader.messages(chosen, start=start_ns, stop=stop_ns):
                yield connection.topic, log_ns, data
        except (ReaderError, OSError, ValueError) as error:
            raise self._damaged(error) from error

    def _register(self) -> None:
        """Know the types as they were when the bag was recorded."""
        try:
            self._store = _store_of(tuple((c.topic, c.msgtype, c.msgdef) for c in self._reader.connections))
        except _UnreadableDefinition as error:
            raise BagError(f"'{self.path}': {error}") from error

    def _damaged(self, error: Exception) -> BagError:
        return BagError(f"'{self.path}' is damaged: {error}; run: lbm episodes repair '{self.path}'")


@lru_cache(maxsize=32)  # bags of one recorder have the same, and making classes of them takes a while
def _store_of(topics: tuple[tuple[str, str, MessageDefinition], ...]) -> Typestore:
    """The types of these topics; the first definition of a type counts. Not to be changed."""
    store = get_typestore(Stores.EMPTY)
    for topic, name, definition in topics:
        if name not in store.fielddefs:
            store.register(_parsed(topic, name, definition))
    return store


def _parsed(topic: str, name: str, definition: MessageDefinition) -> Any:
    if definition.format is MessageDefinitionFormat.NONE:
        text = f"no definition of {name} ({topic}) is embedded"
        raise _UnreadableDefinition(f"{text}; record it with a recorder that embeds definitions")
    try:
        if definition.format is MessageDefinitionFormat.IDL:
            return get_types_from_idl(definition.data)
        return get_types_from_msg(definition.data, name)
    except Exception as error:  # whatever the parser meets
        raise _UnreadableDefinition(f"the embedded definition of {name} cannot be read: {error}") from error
