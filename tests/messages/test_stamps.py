# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A stamp is read from the bytes of a message in either byte order."""

import pytest

from lbm_policy_node.data.bags.message_types import MessageTypes
from lbm_policy_node.messages.stamps import stamp_ns_of_cdr


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("stamp", [(0, 0), (100, 999_999_999), (2_147_483_647, 1)])
def test_the_stamp_is_that_of_the_header(little_endian, stamp):
    types = MessageTypes().store
    time = types.types["builtin_interfaces/msg/Time"](*stamp)
    header = types.types["std_msgs/msg/Header"](time, "base")
    data = bytes(types.serialize_cdr(header, "std_msgs/msg/Header", little_endian=little_endian))
    assert stamp_ns_of_cdr(data) == stamp[0] * 1_000_000_000 + stamp[1]


def test_too_few_bytes_are_refused():
    with pytest.raises(ValueError, match="8 bytes hold no header"):
        stamp_ns_of_cdr(bytes(8))
