# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes what can be read of an MCAP file to a new one that has its end and its index."""

from __future__ import annotations

import os
from pathlib import Path

from mcap.records import Attachment, Metadata
from mcap.writer import CompressionType, Writer

from lbm_policy_node.data.bags.bag_topics import DEFINITION_FORMATS, is_known
from lbm_policy_node.data.bags.bag_writer import CHUNK_BYTES, LIBRARY
from lbm_policy_node.data.bags.mcap_salvage import McapSalvage

_OF_THE_OLD_FILE = "rosbag2"
"""The metadata record in which rosbag2 keeps a copy of metadata.yaml; it does not fit the new file."""


def copy_mcap(source: Path, found: McapSalvage, target: Path) -> None:
    """Copy messages, definitions, and attachments and metadata records of other tools.

    Args:
        source: The damaged or unfinished file.
        found: Its survey.
        target: The new file; must not exist.

    Raises:
        OSError: The disk is full, or the file cannot be written.
    """
    with target.open("xb") as file:
        writer = Writer(file, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE)
        writer.start(profile="ros2", library=LIBRARY)
        channels = _register(writer, found)
        for record in McapSalvage(source).records():
            if isinstance(record, Attachment):
                writer.add_attachment(
                    record.create_time, record.log_time, record.name, record.media_type, record.data
                )
            elif isinstance(record, Metadata):
                if record.name != _OF_THE_OLD_FILE:
                    writer.add_metadata(record.name, record.metadata)
            else:
                channel, times = channels[record.channel_id], (record.log_time, record.publish_time)
                writer.add_message(channel, times[0], record.data, times[1], record.sequence)
        writer.finish()
        file.flush()
        os.fsync(file.fileno())


def _register(writer: Writer, found: McapSalvage) -> dict[int, int]:
    """Register the channels that rosbags reads, which all with messages are; returns old ids to new ones."""
    schemas = {
        schema.id: writer.register_schema(schema.name, schema.encoding, schema.data)
        for schema in found.schemas.values()
        if schema.encoding in DEFINITION_FORMATS
    }
    return {
        channel.id: writer.register_channel(
            channel.topic, channel.message_encoding, schemas[channel.schema_id], channel.metadata
        )
        for channel in found.channels.values()
        if is_known(channel, found.schemas.get(channel.schema_id))
    }
