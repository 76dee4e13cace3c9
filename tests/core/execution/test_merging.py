# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Overlapping chunks become one continuous plan without the past."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_chunk
from helpers.sawyer import SAWYER
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.execution.merging import (
    MAX_CHUNKS,
    ChunkBuffer,
    ChunkBufferConfig,
    ensembling_weights,
)
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.types import ActionChunk, Array

MS = 1_000_000
STEP_MS = 50
FREE = dict.fromkeys("xyz", float("inf"))
LIMITS = ActionLimits(replace(SAWYER, limits=replace(SAWYER.limits, start_jump=FREE, velocity=FREE)))
SLOW_LIMITS = ActionLimits(replace(SAWYER, limits=replace(SAWYER.limits, start_jump=FREE)))
MERGES = ("receding_horizon", "temporal_ensembling", "linear_blend")


def chunk(chunk_id: int, start_ms: int, xs: Any, gripper: float = 0.0) -> ActionChunk:
    actions = np.array([[x, 0.6, 0.2, gripper] for x in xs])
    start_ns = start_ms * MS
    return make_chunk(actions, chunk_id=chunk_id, observation_stamp_ns=start_ns, start_ns=start_ns)


def at(buffer: ChunkBuffer, time_ms: float) -> Array:
    assert buffer.plan is not None
    return buffer.plan.at(LIMITS.layout, round(time_ms * MS))


def add(buffer: ChunkBuffer, new: ActionChunk, now_ms: int, current_x: float | None = None) -> None:
    if current_x is not None:
        current = np.array([current_x, 0.6, 0.2, 0.0])
    else:
        current = np.full(4, np.nan) if buffer.plan is None else at(buffer, now_ms)
    assert buffer.add(new, new.actions, now_ms * MS, current) is None


XS = st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=12)


@given(xs=XS, delay_ms=st.integers(0, 400), current=st.floats(-0.5, 0.5))
def test_a_plan_starts_at_the_command_and_equals_the_rows_that_are_not_past(xs, delay_ms, current):
    buffer, new = ChunkBuffer(LIMITS, ChunkBufferConfig()), chunk(1, 1_000, xs)
    now_ms = 1_000 + delay_ms
    reason = buffer.add(new, new.actions, now_ms * MS, np.array([current, 0.6, 0.2, 0.0]))
    if new.end_ns <= now_ms * MS:
        assert reason is not None and reason.code == ReasonCode.CHUNK_PAST and buffer.plan is None
        return
    assert reason is None and buffer.plan is not None
    assert buffer.plan.times_ns[0] == now_ms * MS and at(buffer, now_ms)[0] == current
    for row in range(len(xs)):
        if new.row_time_ns(row) > now_ms * MS:
            np.testing.assert_array_equal(at(buffer, 1_000 + STEP_MS * row), new.actions[row])


@given(
    merge=st.sampled_from(MERGES),
    chunks=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 100), XS), min_size=2, max_size=5),
    blend_ms=st.integers(0, 300),
)
def test_the_commanded_value_is_continuous_when_a_chunk_arrives(merge, chunks, blend_ms):
    buffer = ChunkBuffer(LIMITS, ChunkBufferConfig(merge=merge, blend_s=blend_ms / 1000))
    stamp_ms = now_ms = 1_000
    for index, (gap_ms, delay_ms, xs) in enumerate(chunks):
        stamp_ms += gap_ms
        now_ms = max(now_ms, stamp_ms + delay_ms)
        before = at(buffer, now_ms) if buffer.plan else np.array([0.0, 0.6, 0.2, 0.0])
        new = chunk(index + 1, stamp_ms, xs)
        if buffer.add(new, new.actions, now_ms * MS, before) is None:
            np.testing.assert_allclose(at(buffer, now_ms)[:3], before[:3], atol=1e-12)
            assert buffer.plan is not None and buffer.plan.times_ns[0] == now_ms * MS
            assert np.all(np.diff(buffer.plan.times_ns) > 0)
            just_after = at(buffer, now_ms + 0.001)
            assert abs(just_after[0] - before[0]) <= 0.0011  # the next row is 1 ms away at least


def test_a_blend_moves_linearly_from_the_old_plan_to_the_new_one():
    buffer = ChunkBuffer(LIMITS, ChunkBufferConfig(merge="linear_blend", blend_s=0.2))
    add(buffer, chunk(1, 1_000, [0.0] * 12), 1_000)
    add(buffer, chunk(2, 1_100, [0.4] * 12, gripper=1.0), 1_100)
    values = [at(buffer, 1_100 + 50 * i)[0] for i in range(7)]
    np.testing.assert_allclose(values, [0.0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.4], atol=1e-12)
    assert at(buffer, 1_160)[3] == 1.0  # the gripper is not blended


def test_ensembling_weights_the_oldest_most_as_act_does():
    buffer = ChunkBuffer(LIMITS, ChunkBufferConfig(merge="temporal_ensembling", ensembling_decay=0.5))
    for index, value in enumerate((0.0, 0.3, 0.6)):
        add(buffer, chunk(index + 1, 1_000 + 100 * index, [value] * 12), 1_000 + 100 * index)
    weights = np.exp(-0.5 * np.arange(3))
    expected = weights @ [0.0, 0.3, 0.6] / weights.sum()
    assert at(buffer, 1_250)[0] == pytest.approx(expected)
    expected = weights[:2] @ [0.3, 0.6] / weights[:2].sum()
    assert at(buffer, 1_600)[0] == pytest.approx(expected)  # the first chunk has ended
    np.testing.assert_allclose(ensembling_weights(3, 0.5), weights)


def test_a_row_that_cannot_be_reached_in_time_is_skipped_to_keep_the_speed_limit():
    buffer = ChunkBuffer(SLOW_LIMITS, ChunkBufferConfig())
    new = chunk(1, 1_000, [0.1] * 8)
    assert buffer.add(new, new.actions, 990 * MS, np.array([0.0, 0.6, 0.2, 0.0])) is None
    assert buffer.plan is not None
    assert (
        buffer.plan.times_ns[1] == 1_100 * MS
    )  # 0.1 m at 1.5 m/s takes 67 ms: the rows at 0 and 50 ms are too soon
    assert at(buffer, 1_100)[0] == pytest.approx(0.1)


def test_a_chunk_that_cannot_be_reached_at_all_is_refused_and_the_plan_stays():
    buffer = ChunkBuffer(SLOW_LIMITS, ChunkBufferConfig())
    add(buffer, chunk(1, 1_000, [0.0] * 8), 1_000, 0.0)
    plan, far = buffer.plan, chunk(2, 1_100, [0.5, 0.5])
    reason = buffer.add(far, far.actions, 1_100 * MS, np.array([0.0, 0.6, 0.2, 0.0]))
    assert reason is not None and reason.code == ReasonCode.VELOCITY_LIMIT
    assert buffer.plan is plan and buffer.chunk_id == 1


def test_the_buffer_is_bounded():
    buffer = ChunkBuffer(LIMITS, ChunkBufferConfig(merge="temporal_ensembling"))
    for index in range(3 * MAX_CHUNKS):
        add(buffer, chunk(index + 1, 1_000 + index, [0.1] * 40), 1_000 + index)
    assert len(buffer._chunks) == MAX_CHUNKS


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="average"):
        ChunkBuffer(LIMITS, ChunkBufferConfig(merge="average"))


def test_a_cleared_buffer_still_refuses_old_chunks_and_a_restarted_one_does_not():
    buffer = ChunkBuffer(LIMITS, ChunkBufferConfig())
    add(buffer, chunk(1, 1_000, [0.0] * 8), 1_000)
    buffer.clear()
    old = chunk(1, 900, [0.0] * 8)
    assert buffer.plan is None
    assert buffer.add(old, old.actions, 1_000 * MS, np.zeros(4)) is not None
    buffer.restart()
    add(buffer, old, 1_000)
