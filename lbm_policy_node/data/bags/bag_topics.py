# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The topics of a bag's files, and the types by the definitions that are embedded there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mcap.records import Channel, Schema
from rosbags.interfaces import Connection, MessageDefinition, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

DEFINITION_FORMATS = ("ros2msg", "ros2idl", "omgidl")
"""Encodings of a schema that can be read (mcap.dev/spec/registry)."""
_WITHOUT_FIELDS = ("std_msgs/msg/Empty",)
_ADVICE = "record it with a recorder that embeds definitions, or take the topic out of the file"


class UnreadableTopicError(ValueError):
    """A topic with messages that cannot be decoded: which, why, and what to do."""


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag, with all its files."""

    type: str
    count: int
    definition: MessageDefinition


def topics_of(connections: Iterable[Connection]) -> dict[str, BagTopic]:
    """Return the topics by name; those of several files or channels become one.

    Raises:
        UnreadableTopicError: The messages of a topic are of two types, or not CDR.
    """
    found: dict[str, BagTopic] = {}
    for one in connections:
        encoding = getattr(one.ext, "serialization_format", "cdr")
        if one.msgcount and encoding != "cdr":
            raise UnreadableTopicError(_foreign(one.topic, encoding))
        new = BagTopic(one.msgtype, one.msgcount, one.msgdef)
        found[one.topic] = _merged(one.topic, found[one.topic], new) if one.topic in found else new
    return found


def check_channels(
    channels: Mapping[int, Channel], schemas: Mapping[int, Schema], counts: Mapping[int, int]
) -> None:
    """Check that the messages of an MCAP file can be decoded.

    Args:
        channels, schemas: By id.
        counts: Messages by the id of their channel.

    Raises:
        UnreadableTopicError: Those of a topic cannot be.
    """
    topics: dict[str, BagTopic] = {}
    for number, channel in channels.items():
        if not counts.get(number):
            continue
        new = _channel_topic(channel, schemas.get(channel.schema_id), counts[number])
        topics[channel.topic] = _merged(channel.topic, topics.get(channel.topic, new), new)
    store_of(topics)


def is_known(channel: Channel, schema: Schema | None) -> bool:
    """Whether rosbags opens a file with this channel; one without messages may be left out of a copy."""
    return schema is not None and schema.encoding in DEFINITION_FORMATS and channel.message_encoding == "cdr"


def _channel_topic(channel: Channel, schema: Schema | None, count: int) -> BagTopic:
    if channel.message_encoding != "cdr":
        raise UnreadableTopicError(_foreign(channel.topic, channel.message_encoding))
    if schema is None or not schema.encoding:
        raise UnreadableTopicError(_missing(channel.topic, schema.name if schema else "its type"))
    if schema.encoding not in DEFINITION_FORMATS:
        kind = f"{schema.name} (it is '{schema.encoding}')"
        raise UnreadableTopicError(_missing(channel.topic, kind))
    is_msg = schema.encoding == "ros2msg"
    kind = MessageDefinitionFormat.MSG if is_msg else MessageDefinitionFormat.IDL
    text = schema.data.decode(errors="replace")
    return BagTopic(schema.name, count, MessageDefinition(kind, text))


def store_of(topics: Mapping[str, BagTopic]) -> Typestore:
    """Return the types of the topics that have messages. Not to be changed.

    Raises:
        UnreadableTopicError: A definition is missing, or cannot be read.
    """
    return _store_of(tuple((name, t.type, t.definition) for name, t in topics.items() if t.count))


@lru_cache(maxsize=32)  # bags of one recorder have the same, and making classes of them takes a while
def _store_of(topics: tuple[tuple[str, str, MessageDefinition], ...]) -> Typestore:
    """The types of these topics; the first definition of a type counts."""
    store = get_typestore(Stores.EMPTY)
    for topic, name, definition in topics:
        if name not in store.fielddefs:
            _register(store, topic, name, definition)
    return store


def _register(store: Typestore, topic: str, name: str, definition: MessageDefinition) -> None:
    is_empty = not definition.data.strip() and name not in _WITHOUT_FIELDS
    if definition.format is MessageDefinitionFormat.NONE or is_empty:
        raise UnreadableTopicError(_missing(topic, name))
    try:
        store.register(_parsed(name, definition))
    except Exception as error:  # whatever the parser meets
        text = f"the embedded definition of {name} ({topic}) cannot be read: {error}"
        raise UnreadableTopicError(f"{text}; {_ADVICE}") from error
    if name not in store.fielddefs:
        text = f"the embedded definition of {name} ({topic}) defines other types"
        raise UnreadableTopicError(f"{text}; {_ADVICE}")


def _parsed(name: str, definition: MessageDefinition) -> Any:
    if definition.format is MessageDefinitionFormat.IDL:
        return get_types_from_idl(definition.data)
    return get_types_from_msg(definition.data, name)


def _merged(name: str, one: BagTopic, other: BagTopic) -> BagTopic:
    if one.type != other.type and one.count and other.count:
        text = f"{name} was recorded as {one.type} and as {other.type}"
        raise UnreadableTopicError(f"{text}; keep one of them, e.g. with mcap filter")
    kept = one if one.count and one.definition.data else other
    return BagTopic(kept.type, one.count + other.count, kept.definition)


def _missing(topic: str, name: str) -> str:
    return f"no definition of {name} ({topic}) is embedded; {_ADVICE}"


def _foreign(topic: str, encoding: str) -> str:
    text = f"the messages of {topic} are '{encoding}', not CDR, so it is no recording of lbm_policy"
    return f"{text}; take the topic out of the file, e.g. with mcap filter"
