# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A message's time as integer nanoseconds, and back."""

import struct
from collections.abc import Callable
from typing import Any, TypeVar

Time = TypeVar("Time")


def to_ns(stamp: Any) -> int:
    """Return a builtin_interfaces/Time in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def from_ns(time_ns: int, time_type: Callable[..., Time]) -> Time:
    """Return nanoseconds as a builtin_interfaces/Time of the given class, rclpy's or a bag's."""
    sec, nanosec = divmod(time_ns, 1_000_000_000)
    return time_type(sec=sec, nanosec=nanosec)


def stamp_ns_of_cdr(data: bytes) -> int:
    """Return the stamp of a serialised message that begins with a std_msgs/Header, and decode no more.

    Args:
        data: Four bytes of encapsulation, the second of which says the byte order (OMG DDSI-RTPS, 10.2), and
            then CDR.

    Raises:
        ValueError: The message is too short for a stamp.
    """
    if len(data) < 12:
        raise ValueError(f"{len(data)} bytes hold no header; expected at least 12")
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return sec * 1_000_000_000 + nanosec
