# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Small bags, and the same bags as other tools leave them on the disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
import zstandard
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType, Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter

from lbm_policy_node.data.bags.bag_writer import BagWriter
from lbm_policy_node.data.bags.bags import Bag

START_NS = 1_700_000_000_000_000_000
TOPICS = {"/flag": "std_msgs/msg/Bool", "/number": "std_msgs/msg/Int32", "/quiet": "std_msgs/msg/Float64"}
Raw = list[tuple[str, int, bytes]]


def small_bag(path: Path, n: int = 40) -> Path:
    """Write a bag of two topics in turn, 10 ms apart, and one without messages."""
    writer = BagWriter(path, TOPICS)
    for i in range(n):
        data = b"\0\1\0\0\1" if i % 2 else b"\0\1\0\0" + i.to_bytes(4, "little")
        writer.write("/flag" if i % 2 else "/number", START_NS + i * 10_000_000, data)
    writer.close({"dropped": "3"})
    return path


def raw(path: Path) -> Raw:
    """All messages of a bag."""
    with Bag(path) as bag:
        return [(topic, log_ns, bytes(data)) for topic, log_ns, data in bag.raw()]


def change_metadata(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what metadata.yaml says."""
    file = path / "metadata.yaml"
    values = yaml.safe_load(file.read_text())
    change(values["rosbag2_bagfile_information"])
    file.write_text(yaml.safe_dump(values))


def list_files(path: Path, *names: str) -> None:
    """Have metadata.yaml list these files."""
    change_metadata(path, lambda values: values.update(relative_file_paths=list(names), files=[]))


@dataclass(kw_only=True)
class Rewrite:
    """How another tool writes an MCAP file again."""

    part: range = range(1000)
    with_quiet_topics: bool = True
    encoding: str = "ros2msg"
    definition: bytes | None = None
    message_encoding: str = "cdr"
    profile: str = "ros2"
    channels_per_topic: int = 1
    qos: str = ""
    extras: bool = False
    json_topic: bool = False
    compression: CompressionType = CompressionType.NONE
    use_chunking: bool = True
    index: IndexType = IndexType.ALL
    use_statistics: bool = True
    chunk_size: int = 300

    def write(self, source: Path, target: Path) -> None:
        """Write the messages of a file to another one, which may be the same."""
        with source.open("rb") as stream:
            reader = make_reader(stream)
            summary = reader.get_summary()
            assert summary is not None
            messages = list(reader.iter_messages())
        with target.open("wb") as stream:
            writer = Writer(
                stream,
                compression=self.compression,
                use_chunking=self.use_chunking,
                index_types=self.index,
                use_statistics=self.use_statistics,
                use_summary_offsets=self.use_statistics,
                chunk_size=self.chunk_size,
            )
            writer.start(profile=self.profile, library="another tool")
            if self.extras:
                writer.add_attachment(1, START_NS, "notes.txt", "text/plain", b"by hand")
                writer.add_metadata("rating", {"stars": "5"})
            if self.json_topic:
                writer.register_channel("/chat", "json", writer.register_schema("chat", "jsonschema", b"{}"))
            channels: dict[str, list[int]] = {}
            for channel in summary.channels.values():
                if self.with_quiet_topics or any(m[1].topic == channel.topic for m in messages):
                    schema = summary.schemas[channel.schema_id]
                    text = schema.data if self.definition is None else self.definition
                    number = writer.register_schema(schema.name, self.encoding, text)
                    channels[channel.topic] = [
                        writer.register_channel(
                            channel.topic,
                            self.message_encoding,
                            number,
                            {"offered_qos_profiles": self.qos, "copy": str(copy)},
                        )
                        for copy in range(self.channels_per_topic)
                    ]
            for i, (_, channel, message) in enumerate(messages):
                if i in self.part:
                    numbers = channels[channel.topic]
                    writer.add_message(
                        numbers[i // 2 % len(numbers)], message.log_time, message.data, message.publish_time
                    )
            writer.finish()

    def __call__(self, path: Path) -> None:
        """Write the bag's only file again, in place."""
        file = path / f"{path.name}.mcap"
        self.write(file, file)


def split(path: Path, *, listed: tuple[int, ...] = (0, 1)) -> None:
    """Make two files of one."""
    file = path / f"{path.name}.mcap"
    for number, part in enumerate((range(20), range(20, 1000))):
        Rewrite(part=part).write(file, path / f"{path.name}_{number}.mcap")
    file.unlink()
    list_files(path, *(f"{path.name}_{number}.mcap" for number in listed))


def pack(path: Path, *, keep_metadata: bool) -> None:
    """Compress the file as a whole."""
    file = path / f"{path.name}.mcap"
    (path / f"{file.name}.zstd").write_bytes(zstandard.ZstdCompressor().compress(file.read_bytes()))
    file.unlink()
    if keep_metadata:
        list_files(path, f"{file.name}.zstd")
        mode = {"compression_mode": "FILE", "compression_format": "zstd"}
        change_metadata(path, lambda values: values.update(mode))
    else:
        (path / "metadata.yaml").unlink()


def convert(path: Path, plugin: StoragePlugin, mode: CompressionMode | None = None) -> None:
    """Write the bag with rosbags, in the place of the old one."""
    new = path.with_name("converted")
    writer = RosbagsWriter(new, version=9, storage_plugin=plugin)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer, Reader(path) as reader:
        connections = {
            c.topic: writer.add_connection(c.topic, c.msgtype, msgdef=c.msgdef.data, rihs01=c.digest)
            for c in reader.connections
        }
        for connection, log_ns, data in reader.messages():
            writer.write(connections[connection.topic], log_ns, data)
    for file in path.iterdir():
        file.unlink()
    for file in new.iterdir():
        file.replace(path / file.name)
    new.rmdir()
