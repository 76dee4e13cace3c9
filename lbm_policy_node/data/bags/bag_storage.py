# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages of one file of a bag, by rosbags' readers, found by their topic alone.

rosbags' reader of a folder takes topics and counts from metadata.yaml, and passes over the messages of a
topic that is not in it or has another QoS there. What is in the file counts here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from zstandard import ZstdDecompressor

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class BagStorage:
    """One open file.

    Attributes:
        connections: Its topics; the same topic may be there more than once.
        start_ns, end_ns: Time of the first message, and just after the last one; 0 without messages.
    """

    def __init__(self, storage: Any, *, compressed_messages: bool = False) -> None:
        """Take a reader that rosbags has opened."""
        self._storage, self._compressed = storage, compressed_messages
        self.connections: tuple[Connection, ...] = tuple(storage.connections)
        n_messages = storage.metadata.message_count
        self.start_ns = storage.metadata.start_time if n_messages else 0
        self.end_ns = storage.metadata.end_time if n_messages else 0
        chunks = getattr(storage, "chunks", ())
        if chunks and sum(sum(chunk.channel_count.values()) for chunk in chunks) != n_messages:
            chunks.clear()  # no index of the messages: rosbags would find none; now it reads all of the file

    def messages(
        self, topics: Collection[str] | None, start_ns: int | None, stop_ns: int | None
    ) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of arrival and CDR bytes, by time; of all topics where None are given."""
        chosen = [c for c in self.connections if topics is None or c.topic in topics]
        if not chosen:
            return
        for connection, log_ns, data in self._storage.messages(chosen, start_ns, stop_ns):
            yield connection.topic, log_ns, _unpacked(data) if self._compressed else data


def file_messages(file: Path) -> Iterator[tuple[str, int, bytes]]:
    """Yield the messages of one file that no metadata.yaml describes, as they are in it."""
    with Reader(file) as reader:
        yield from BagStorage(reader.storage).messages(None, None, None)


def _unpacked(data: bytes) -> bytes:
    return ZstdDecompressor().decompressobj().decompress(data)
