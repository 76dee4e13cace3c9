# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Hypothesis makes action chunks of any content that an ActionChunk allows and its message can hold."""

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lbm_policy_node.core.types import ActionChunk

END_OF_TIME_NS = 2**31 * 1_000_000_000
"""The seconds of a ROS time are int32."""
LONGEST_STEP_NS = 3_599_999_999_999
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
"""What a string of a message can hold: neither half a character nor a zero."""
times_ns = st.integers(0, END_OF_TIME_NS - 1)
words_64, words_32 = st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)


@st.composite
def action_chunks(draw: st.DrawFn) -> ActionChunk:
    """Any chunk, not-a-number and infinity included: limits refuse those, so they must arrive."""
    horizon, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    streams = tuple(draw(st.lists(texts, max_size=3)))
    steps = draw(st.integers(0, 2)) if streams else 0
    drawn: dict[str, Any] = {
        "chunk_id": draw(words_64),
        "observation_stamp_ns": draw(times_ns),
        "start_ns": draw(times_ns),
        "step_ns": draw(st.integers(1, LONGEST_STEP_NS)),
        "actions": _array(draw, horizon, width),
        "samples": _array(draw, draw(st.integers(0, 3)), horizon, width),
        "action_names": tuple(draw(st.lists(texts, min_size=width, max_size=width, unique=True))),
        "seed": draw(words_64),
        "checkpoint_id": draw(texts),
        "instruction": draw(texts),
        "guided": draw(st.booleans()),
        "stochastic": draw(st.booleans()),
        "inference_s": draw(st.floats()),
        "index": draw(words_32),
        "execution_horizon": draw(words_32),
        "embedding": np.array(draw(st.lists(st.floats(width=32), max_size=3)), np.float32),
        "input_streams": streams,
        "input_stamps_ns": tuple(tuple(draw(times_ns) for _ in streams) for _ in range(steps)),
    }
    assert drawn.keys() == {field.name for field in dataclasses.fields(ActionChunk)}
    return ActionChunk(**drawn)


def _array(draw: st.DrawFn, *shape: int) -> np.ndarray:
    size = int(np.prod(shape))
    return np.array(draw(st.lists(st.floats(), min_size=size, max_size=size)), np.float64).reshape(shape)
