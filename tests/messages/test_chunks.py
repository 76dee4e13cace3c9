# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A chunk survives the way over a message, live and through a bag's reader, with every field."""

from hypothesis import given
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from rclpy.serialization import deserialize_message, serialize_message

from helpers.chunk_strategies import action_chunks
from helpers.differing import assert_same_record
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.messages.chunks import chunk_from_message, fill_chunk_message

KIND = "lbm_msgs/msg/ActionChunk"
TYPES = MessageTypes()


def to_wire(chunk: ActionChunk) -> bytes:
    return serialize_message(fill_chunk_message(ActionChunkMessage(), chunk, frame_id="base"))


@given(action_chunks())
def test_a_chunk_comes_back_from_the_wire_as_it_was(chunk):
    message = deserialize_message(to_wire(chunk), ActionChunkMessage)
    assert_same_record(chunk_from_message(message), chunk)
    assert message.header.frame_id == "base"


@given(action_chunks())
def test_a_bag_s_reader_finds_the_same_chunk_in_the_same_bytes(chunk):
    TYPES.definition(KIND)
    message = TYPES.store.deserialize_cdr(to_wire(chunk), KIND)
    assert_same_record(chunk_from_message(message), chunk)


@given(action_chunks())
def test_a_message_of_a_bag_s_types_is_filled_with_the_same_content(chunk):
    message = fill_chunk_message(TYPES.empty(KIND), chunk, frame_id="base")
    back = deserialize_message(TYPES.serialize(message, KIND), ActionChunkMessage)
    assert_same_record(chunk_from_message(back), chunk)
    assert back.header.frame_id == "base"
