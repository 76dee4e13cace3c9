# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a header stamp, in the same words for the gate, the executor and `lbm doctor`."""

from lbm_policy_node.core.spec.spec_streams import StreamSpec


def ahead_text(stream: str, stamp_ns: int, now_ns: int, max_skew_ns: int) -> str:
    """Say how far a stamp is ahead of the clock; empty when it is not, beyond the spec's skew.

    Args:
        stream: Name of the stream.
        stamp_ns: Header stamp.
        now_ns: The ROS clock.
        max_skew_ns: How far a stamp may be ahead.
    """
    ahead_ns = stamp_ns - now_ns
    if ahead_ns <= max_skew_ns:
        return ""
    return f"'{stream}' is stamped {ahead_ns / 1e9:.3f} s ahead of the clock; limit {max_skew_ns / 1e9:.3f} s"


def too_old_text(stream: StreamSpec, stamp_ns: int, now_ns: int) -> str:
    """Say that a sample is older than its stream allows, or has no stamp at all; empty when it is neither."""
    age_ns = now_ns - stamp_ns
    if age_ns <= stream.max_age_ns:
        return ""
    if stamp_ns == 0:
        return f"'{stream.name}' ({stream.topic}) has a zero stamp: its driver must fill in header.stamp"
    return f"'{stream.name}' ({stream.topic}) is {age_ns / 1e9:.3f} s old; limit {stream.max_age_s:g} s"
