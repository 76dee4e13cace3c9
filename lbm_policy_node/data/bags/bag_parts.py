# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of a bag under repair: what each one holds, and whether it must be written anew."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcap.reader import SeekingReader
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.metadata import dump_qos_v8
from zstandard import ZstdDecompressor, ZstdError

from lbm_policy_node.data.bags.bag_errors import BagError
from lbm_policy_node.data.bags.bag_files import PACKED, plain_name
from lbm_policy_node.data.bags.bag_metadata import FileFacts, TopicFacts
from lbm_policy_node.data.bags.bag_storage import ZSTD_MAGIC, BagStorage, file_messages
from lbm_policy_node.data.bags.bag_topics import (
    UnreadableTopicError,
    check_channels,
    is_known,
    store_of,
    topics_of,
)
from lbm_policy_node.data.bags.mcap_copy import copy_mcap
from lbm_policy_node.data.bags.mcap_salvage import UNREADABLE, McapSalvage

_COPY_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class BagPart:
    """One file.

    Attributes:
        file: In the bag's folder.
        plain: The same without compression, which may be in the workplace of the repair.
        facts: What it holds, under its name without compression.
        salvage: The survey of an MCAP file; None for sqlite3.
        lost_bytes: Bytes that could not be read.
        indexed: Whether it has its end and its index.
        packed_messages: Whether each message is compressed by itself.
    """

    file: Path
    plain: Path
    facts: FileFacts
    salvage: McapSalvage | None = None
    lost_bytes: int = 0
    indexed: bool = True
    packed_messages: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing is lost and the index is there."""
        return self.indexed and not self.lost_bytes

    def mended(self, workplace: Path) -> Path:
        """Return a file that other readers read wholly: this one, or a new one in the workplace."""
        if self.salvage is None or (self.whole and _read_counts(self.plain) == _counts(self.facts)):
            return self.plain
        workplace.mkdir(exist_ok=True)
        new = workplace / ("new-" + self.facts.name)
        copy_mcap(self.plain, self.salvage, new)
        return new


def survey(file: Path, workplace: Path) -> BagPart:
    """Read all of a file.

    Raises:
        BagError: Its messages cannot be decoded, or it is a damaged sqlite3 file.
        OSError: There is no space to decompress it.
    """
    plain, lost_bytes = file, 0
    if file.name.endswith(PACKED):
        workplace.mkdir(exist_ok=True)
        plain = workplace / plain_name(file)
        lost_bytes = _unpack(file, plain)
    if plain.suffix == ".db3":
        return _survey_sqlite(file, plain, lost_bytes)
    return _survey_mcap(file, plain, lost_bytes)


def is_indexed(file: Path) -> bool:
    """Whether an MCAP file has its end and its index, without looking at the messages."""
    try:
        with file.open("rb") as stream:
            summary = SeekingReader(stream).get_summary()
    except (*UNREADABLE, OSError):
        return False
    return summary is not None and summary.statistics is not None


def _survey_mcap(file: Path, plain: Path, lost_bytes: int) -> BagPart:
    found = McapSalvage(plain)
    packed = False
    for message in found.messages():
        packed = packed or message.data.startswith(ZSTD_MAGIC)
    try:
        check_channels(found.channels, found.schemas, found.counts)
    except UnreadableTopicError as error:
        raise BagError(f"'{file}': {error}") from error
    topics: dict[str, TopicFacts] = {}
    for channel in found.channels.values():
        schema, count = found.schemas.get(channel.schema_id), found.counts.get(channel.id, 0)
        if schema is None or not is_known(channel, schema):
            continue  # without messages
        before = topics[channel.topic].count if channel.topic in topics else 0
        topics[channel.topic] = TopicFacts(
            type=schema.name,
            count=before + count,
            type_hash=channel.metadata.get("topic_type_hash", ""),
            qos=channel.metadata.get("offered_qos_profiles", ""),
        )
    return BagPart(
        file=file,
        plain=plain,
        facts=FileFacts(name=plain.name, topics=topics, first_ns=found.first_ns, last_ns=found.last_ns),
        salvage=found,
        lost_bytes=lost_bytes + found.lost_bytes,
        indexed=is_indexed(plain),
        packed_messages=packed,
    )


def _survey_sqlite(file: Path, plain: Path, lost_bytes: int) -> BagPart:
    try:
        with Reader(plain) as reader:
            storage: Any = reader.storage
            store_of(topics_of(storage.connections))
            topics = {c.topic: _facts(c) for c in storage.connections}
            times = BagStorage(storage)
            packed = any(
                data[:4] == ZSTD_MAGIC for _, _, data in BagStorage(storage).messages(None, None, None)
            )
            facts = FileFacts(
                name=plain.name, topics=topics, first_ns=times.start_ns, last_ns=max(times.end_ns - 1, 0)
            )
    except UnreadableTopicError as error:
        raise BagError(f"'{file}': {error}") from error
    except Exception as error:  # rosbags and sqlite3 raise whatever they meet in a damaged file
        text = "repair mends .mcap files only: copy it again, or use sqlite3's .recover"
        raise BagError(f"'{file}' is damaged: {error}; {text}") from error
    if lost_bytes:
        raise BagError(f"'{file}' is cut short, and no .mcap; copy it again")
    return BagPart(file=file, plain=plain, facts=facts, packed_messages=packed)


def _facts(connection: Any) -> TopicFacts:
    qos = dump_qos_v8(connection.ext.offered_qos_profiles)
    return TopicFacts(
        type=connection.msgtype, count=connection.msgcount, type_hash=connection.digest or "", qos=qos
    )


def _unpack(file: Path, plain: Path) -> int:
    """Decompress as far as it goes; returns the bytes of the file that could not be."""
    decompressor = ZstdDecompressor().decompressobj()
    with file.open("rb") as source, plain.open("xb") as target:
        try:
            while not decompressor.eof and (data := source.read(_COPY_BYTES)):
                target.write(decompressor.decompress(data))
        except ZstdError:
            return max(1, file.stat().st_size - source.tell())
        target.flush()
        os.fsync(target.fileno())
    return 0 if decompressor.eof else 1


def _read_counts(file: Path) -> Counter[str] | None:
    """Count what rosbags reads; None where it does not read all."""
    try:
        return Counter(topic for topic, *_ in file_messages(file))
    except Exception:  # rosbags raises whatever it meets in a file of another tool
        return None


def _counts(facts: FileFacts) -> Counter[str]:
    return Counter({name: topic.count for name, topic in facts.topics.items() if topic.count})
