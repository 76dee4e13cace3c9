# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of the time before an episode is bounded in time and size, and of one clock."""

from hypothesis import given
from hypothesis import strategies as st

from lbm_policy_node.data.bags.message_queue import RawMessage
from lbm_policy_node.data.bags.pre_roll import PreRoll

LENGTH_NS, MAX_BYTES = 100, 50


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=60), st.integers(0, 200))
def test_all_of_the_last_moments_that_fit_and_nothing_else(steps, later_ns):
    pre_roll, sent, now_ns = PreRoll(length_ns=LENGTH_NS, max_bytes=MAX_BYTES), [], 1_000
    for wait_ns, size in steps:
        now_ns += wait_ns
        sent.append(RawMessage("/camera", now_ns, bytes(size)))
        pre_roll.push(sent[-1])
        assert sum(len(m.data) for m in pre_roll.messages(now_ns)) <= MAX_BYTES
    kept = pre_roll.messages(now_ns + later_ns)
    assert kept == sent[len(sent) - len(kept) :], "the newest, in order"
    assert all(m.log_ns > now_ns + later_ns - LENGTH_NS for m in kept)
    dropped = [m for m in sent[: len(sent) - len(kept)] if m.log_ns > now_ns + later_ns - LENGTH_NS]
    if dropped:
        assert len(dropped[-1].data) + sum(len(m.data) for m in kept) > MAX_BYTES


def test_a_clock_that_went_back_leaves_nothing_of_the_other_time():
    pre_roll = PreRoll(length_ns=LENGTH_NS, max_bytes=MAX_BYTES)
    pre_roll.push(RawMessage("/camera", 5_000, b"old"))
    pre_roll.push(RawMessage("/camera", 10, b"new"))
    assert [m.data for m in pre_roll.messages(20)] == [b"new"]
    assert not PreRoll(length_ns=0, max_bytes=MAX_BYTES).messages(0)
