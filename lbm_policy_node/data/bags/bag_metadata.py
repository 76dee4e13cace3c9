# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes metadata.yaml, version 9 of rosbag2's, from what a bag's files hold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rosbags.rosbag2.metadata import dump_qos_v9, parse_qos

from lbm_policy_node.data.bags.bag_files import METADATA_FILE


@dataclass(frozen=True, kw_only=True)
class TopicFacts:
    """A topic in one file.

    Attributes:
        type: ROS message type.
        count: Messages.
        type_hash: Hash of the type; empty when the file has none.
        qos: What its publishers offered, as the file has it: YAML of a list of profiles, or an empty text.
    """

    type: str
    count: int
    type_hash: str = ""
    qos: str = ""


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """One file of a bag.

    Attributes:
        name: Its name in the bag's folder.
        topics: By name.
        first_ns, last_ns: Time of the first and of the last message; 0 without messages.
    """

    name: str
    topics: Mapping[str, TopicFacts]
    first_ns: int = 0
    last_ns: int = 0

    @property
    def count(self) -> int:
        """Messages of all topics."""
        return sum(topic.count for topic in self.topics.values())


def write_metadata(
    path: Path, files: Sequence[FileFacts], custom_data: Mapping[str, str], compression_mode: str = ""
) -> None:
    """Write metadata.yaml, safe against a crash.

    Args:
        path: The bag's folder.
        files: At least one, first part first; all of one format.
        custom_data: Facts about the whole recording.
        compression_mode: MESSAGE where each message is compressed by itself.
    """
    storage = "sqlite3" if files[0].name.endswith(".db3") else "mcap"
    values = {
        "version": 9,
        "storage_identifier": storage,
        "relative_file_paths": [file.name for file in files],
        **_times(files),
        "topics_with_message_count": _topics(files),
        "compression_format": "zstd" if compression_mode else "",
        "compression_mode": compression_mode,
        "files": [{"path": file.name, **_times([file])} for file in files],
        "custom_data": dict(custom_data),
        "ros_distro": "jazzy",
    }
    text = yaml.dump({"rosbag2_bagfile_information": values}, Dumper=_Plain, sort_keys=False)
    write_durably(path / METADATA_FILE, text)


class _Plain(yaml.SafeDumper):
    """Without the anchors and aliases that not every reader knows."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _times(files: Sequence[FileFacts]) -> dict[str, Any]:
    filled = [file for file in files if file.count]
    first_ns = min((file.first_ns for file in filled), default=0)
    last_ns = max((file.last_ns for file in filled), default=0)
    return {
        "duration": {"nanoseconds": last_ns - first_ns},
        "starting_time": {"nanoseconds_since_epoch": first_ns},
        "message_count": sum(file.count for file in files),
    }


def _topics(files: Sequence[FileFacts]) -> list[dict[str, Any]]:
    facts: dict[str, TopicFacts] = {}
    counts: dict[str, int] = {}
    for file in files:
        for name, topic in file.topics.items():
            if name not in facts or not counts[name]:
                facts[name] = topic
            counts[name] = counts.get(name, 0) + topic.count
    return [_topic(name, topic, counts[name]) for name, topic in facts.items()]


def _topic(name: str, topic: TopicFacts, count: int) -> dict[str, Any]:
    return {
        "topic_metadata": {
            "name": name,
            "type": topic.type,
            "serialization_format": "cdr",
            "offered_qos_profiles": _profiles(topic.qos),
            "type_description_hash": topic.type_hash,
        },
        "message_count": count,
    }


def _profiles(text: str) -> list[Any]:
    """Profiles as version 9 has them, with words where earlier versions have numbers."""
    try:
        return list(dump_qos_v9(parse_qos(text)))
    except Exception:  # whatever rosbags meets in a text of another tool; playing then uses defaults
        return []


def write_durably(path: Path, text: str) -> None:
    """Write a file so that after a crash it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
