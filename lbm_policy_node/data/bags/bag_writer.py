# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes one rosbag2 MCAP directory that `ros2 bag`, Foxglove and rosbags open.

Format: MCAP with profile "ros2" and schemas "ros2msg" (mcap.dev), metadata.yaml of rosbag2 version 9.
Messages are stored as they come, uncompressed, in small chunks, so that little is in memory when the
process dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from mcap.writer import CompressionType, Writer

from lbm_policy_node import __version__
from lbm_policy_node.data.bags.bag_metadata import FileFacts, TopicFacts, write_metadata
from lbm_policy_node.data.bags.message_types import MessageTypes

CHUNK_BYTES = 64 * 1024
LIBRARY = f"lbm_policy {__version__}"


class Definitions(Protocol):
    """Knows message definitions, as MessageTypes does."""

    def definition(self, type_name: str) -> tuple[str, str]:
        """Return the full definition, parts included, and its hash."""
        ...


class BagWriter:
    """Appends serialised messages. Not thread-safe.

    Attributes:
        path: The bag's folder.
        counts: Messages per topic so far.
        n_bytes: Payload so far.
    """

    def __init__(
        self,
        path: Path,
        topics: Mapping[str, str],
        types: Definitions | None = None,
        *,
        qos: Mapping[str, str] | None = None,
    ) -> None:
        """Make the folder and begin the file.

        Args:
            path: The bag's folder; may exist, but must not hold a bag.
            topics: Topic to ROS message type.
            types: Where definitions come from.
            qos: Topic to what its publishers offer, YAML of a list of profiles as rosbag2 keeps it.

        Raises:
            FileExistsError: There is a bag already.
            UnknownTypeError: A type has no definition.
            OSError: The folder or file cannot be written.
        """
        types = types or MessageTypes()
        definitions = {name: types.definition(name) for name in sorted(set(topics.values()))}
        self.path, self._topics, self._qos = path, dict(topics), dict(qos or {})
        self._hashes = {name: digest for name, (_, digest) in definitions.items()}
        path.mkdir(parents=True, exist_ok=True)
        self.file_path = path / f"{path.name}.mcap"
        self._file = self.file_path.open("xb")
        with suppress(
            OSError
        ):  # some network disks cannot lock; then only a repair at the same time is unsafe
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE)
        self._writer.start(profile="ros2", library=LIBRARY)
        schemas = {
            name: self._writer.register_schema(name, "ros2msg", text.encode())
            for name, (text, _) in definitions.items()
        }
        self._channels = {
            topic: self._writer.register_channel(
                topic, "cdr", schemas[name], self._channel_facts(topic, name)
            )
            for topic, name in topics.items()
        }
        self.counts = dict.fromkeys(topics, 0)
        self.n_bytes = 0
        self._first_ns: int | None = None
        self._last_ns = 0

    def write(self, topic: str, log_ns: int, data: bytes) -> None:
        """Append a message: CDR bytes, stamped with the ROS time of its arrival."""
        self._writer.add_message(self._channels[topic], log_ns, data, log_ns)
        self.counts[topic] += 1
        self.n_bytes += len(data)
        self._first_ns = log_ns if self._first_ns is None else min(self._first_ns, log_ns)
        self._last_ns = max(self._last_ns, log_ns)

    def flush(self) -> None:
        """Hand all that is written to the operating system: it survives the death of this process."""
        self._writer.flush()

    def close(self, custom_data: Mapping[str, str]) -> None:
        """Finish index and metadata, and bring all of it to the disk.

        Args:
            custom_data: Facts about the whole recording, for metadata.yaml.
        """
        self._writer.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        topics = {
            topic: TopicFacts(
                type=name,
                count=self.counts[topic],
                type_hash=self._hashes[name],
                qos=self._qos.get(topic, ""),
            )
            for topic, name in self._topics.items()
        }
        facts = FileFacts(
            name=self.file_path.name, topics=topics, first_ns=self._first_ns or 0, last_ns=self._last_ns
        )
        write_metadata(self.path, [facts], custom_data)

    def abort(self) -> None:
        """Close the file as it is; `lbm episodes repair` makes it whole."""
        with suppress(OSError):  # what could not be written before cannot be written now
            self._file.close()

    def _channel_facts(self, topic: str, type_name: str) -> dict[str, str]:
        """What rosbag2 keeps with each topic."""
        return {"offered_qos_profiles": self._qos.get(topic, ""), "topic_type_hash": self._hashes[type_name]}
