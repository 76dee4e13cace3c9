# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads an MCAP file that has no end: every whole record up to the damage (format: mcap.dev/spec).

::

    magic | header | chunk | index | chunk | index | chu        killed while writing
    magic | header | chunk | index | data end | summ            killed while finishing
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Message, Metadata, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC
from zstandard import ZstdError

_Record = Schema | Channel | Message | Attachment | Metadata
_HEAD = struct.Struct("<BQ")
UNREADABLE = (
    McapError,
    ValueError,
    struct.error,
    MemoryError,
    EOFError,
    OverflowError,
    ZstdError,
    RuntimeError,
)
"""What mcap's parsers and decompressors (RuntimeError: lz4's) raise on bytes that are no record."""


class McapSalvage:
    """One pass over a file; the attributes are final after ``messages`` has come to its end.

    Attributes:
        schemas, channels: By id.
        counts: Messages by the id of their channel.
        n_messages: Messages read.
        first_ns, last_ns: Earliest and latest time of arrival; 0 without messages.
        lost_bytes: Bytes that are no whole record, or a chunk whose checksum is wrong.
    """

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self._path = path
        self.schemas: dict[int, Schema] = {}
        self.channels: dict[int, Channel] = {}
        self.counts: dict[int, int] = {}
        self.n_messages = self.first_ns = self.last_ns = self.lost_bytes = 0

    def messages(self) -> Iterator[Message]:
        """Yield the messages whose channel is known, in the order of the file."""
        return (record for record in self.records() if isinstance(record, Message))

    def records(self) -> Iterator[Message | Attachment | Metadata]:
        """Do the same, and yield what other tools have put beside the messages."""
        with self._path.open("rb") as file:
            for record in self._records(file, self._path.stat().st_size):
                if isinstance(record, Schema):
                    self.schemas[record.id] = record
                elif isinstance(record, Channel):
                    self.channels[record.id] = record
                elif not isinstance(record, Message):
                    yield record
                elif record.channel_id in self.channels:
                    self._count(record)
                    yield record
                else:
                    self.lost_bytes += len(record.data)

    def survey(self) -> None:
        """Read everything, only to know what there is."""
        for _ in self.messages():
            pass

    def _count(self, message: Message) -> None:
        self.first_ns = min(self.first_ns, message.log_time) if self.n_messages else message.log_time
        self.last_ns = max(self.last_ns, message.log_time)
        self.n_messages += 1
        self.counts[message.channel_id] = self.counts.get(message.channel_id, 0) + 1

    def _records(self, file: IO[bytes], size: int) -> Iterator[_Record]:
        if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
            self.lost_bytes = size
            return
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            opcode, length = _HEAD.unpack(head)
            if opcode == Opcode.DATA_END:
                return  # the rest repeats what was read
            if not 0 < opcode <= Opcode.DATA_END or file.tell() + length > size:
                file.seek(-_HEAD.size, 1)
                break
            body = file.read(length)
            try:
                yield from _parse(opcode, body)
            except UNREADABLE:
                self.lost_bytes += _HEAD.size + length
        else:
            file.seek(-len(head), 1)
        self.lost_bytes += size - file.tell()


def _parse(opcode: int, body: bytes) -> list[_Record]:
    """Return what a record holds, only once all of it has been read."""
    stream = ReadDataStream(BytesIO(body))
    if opcode == Opcode.CHUNK:
        records = breakup_chunk(Chunk.read(stream), validate_crc=True)
        return [record for record in records if isinstance(record, Schema | Channel | Message)]
    if opcode == Opcode.MESSAGE:
        return [Message.read(stream, len(body))]
    if opcode == Opcode.SCHEMA:
        return [Schema.read(stream)]
    if opcode == Opcode.ATTACHMENT:
        return [Attachment.read(stream)]
    if opcode == Opcode.METADATA:
        return [Metadata.read(stream)]
    return [Channel.read(stream)] if opcode == Opcode.CHANNEL else []
