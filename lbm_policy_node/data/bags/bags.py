# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads a rosbag2 directory without ROS: messages as they arrived, by the definitions inside it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcap.reader import SeekingReader
from rosbags.rosbag2 import Reader

from lbm_policy_node.data.bags.bag_errors import BagError, RepairableBagError
from lbm_policy_node.data.bags.bag_files import METADATA_FILE, bag_files, listed_counts
from lbm_policy_node.data.bags.bag_storage import BagStorage
from lbm_policy_node.data.bags.bag_topics import UnreadableTopicError, check_channels, store_of, topics_of
from lbm_policy_node.data.bags.mcap_salvage import UNREADABLE


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
        files = bag_files(self.path)
        self._reader = self._opened(files)
        try:
            self._look_inside()
        except BaseException:
            self._reader.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @property
    def start_ns(self) -> int:
        """ROS time of the first message; 0 without messages."""
        return min((storage.start_ns for storage in self._storages if storage.end_ns), default=0)

    @property
    def end_ns(self) -> int:
        """ROS time just after the last message; 0 without messages."""
        return max((storage.end_ns for storage in self._storages), default=0)

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
        parts = [storage.messages(names, start_ns, stop_ns) for storage in self._storages]
        try:
            yield from heapq.merge(*parts, key=lambda message: message[1])
        except Exception as error:  # rosbags raises whatever it meets in a damaged file
            raise self._damaged(error) from error

    def _opened(self, files: list[Path]) -> Reader:
        if not (self.path / METADATA_FILE).is_file():
            _refuse_foreign(self.path, files)
            text = "has no metadata.yaml: it is being recorded, or its recorder was killed"
            raise RepairableBagError(self.path, text)
        try:
            reader = Reader(self.path)
            reader.open()
        except Exception as error:  # rosbags raises whatever it meets in a damaged file
            _refuse_foreign(self.path, files)
            raise self._damaged(error) from error
        return reader

    def _look_inside(self) -> None:
        """Learn the topics by the files, and refuse a metadata.yaml that says otherwise."""
        directory: Any = self._reader.storage
        compressed = directory.metadata.compression_mode == "message"
        self._storages = [BagStorage(s, compressed_messages=compressed) for s in directory.storages]
        try:
            topics = topics_of(c for storage in self._storages for c in storage.connections)
            self._store = store_of(topics)
        except UnreadableTopicError as error:
            raise BagError(f"'{self.path}': {error}") from error
        listed = {connection.topic: connection.msgtype for connection in self._reader.connections}
        self.types = listed | {name: topic.type for name, topic in topics.items()}
        self.counts = dict.fromkeys(listed, 0) | {name: topic.count for name, topic in topics.items()}
        custom = directory.metadata.custom
        self.custom_data = dict(custom) if isinstance(custom, dict) else {}
        self._check_metadata(listed)

    def _check_metadata(self, listed_types: Mapping[str, str]) -> None:
        listed = listed_counts(self.path)
        for topic, count in self.counts.items():
            if (n_listed := listed.get(topic, 0)) != count:
                text = f"it lists {n_listed} messages of {topic}, the files hold {count}"
                raise RepairableBagError(self.path, f"does not fit its metadata.yaml: {text}")
            if count and listed_types[topic] != self.types[topic]:
                text = f"{topic} is {listed_types[topic]} in metadata.yaml, {self.types[topic]} in the file"
                raise RepairableBagError(self.path, f"does not fit its metadata.yaml: {text}")

    def _damaged(self, error: Exception) -> BagError:
        text = str(error).removesuffix(".").removesuffix("; please report issue") or type(error).__name__
        if any(file.suffix == ".db3" and not _opens(file) for file in bag_files(self.path)):
            advice = "repair mends .mcap files only: copy it again, or use sqlite3's .recover"
            return BagError(f"'{self.path}' is damaged: {text}; {advice}")
        return RepairableBagError(self.path, f"is damaged or does not fit its metadata.yaml: {text}")


def _opens(file: Path) -> bool:
    try:
        with Reader(file):
            return True
    except Exception:  # rosbags raises whatever it meets in a damaged file
        return False


def _refuse_foreign(path: Path, files: list[Path]) -> None:
    """Raise where a whole file holds what no repair makes readable."""
    for file in files:
        try:
            with file.open("rb") as stream:
                summary = SeekingReader(stream).get_summary()
        except (*UNREADABLE, OSError):
            continue  # damaged, or no MCAP
        if summary is None or summary.statistics is None:
            continue
        try:
            check_channels(summary.channels, summary.schemas, summary.statistics.channel_message_counts)
        except UnreadableTopicError as error:
            raise BagError(f"'{path}': {error}") from error
