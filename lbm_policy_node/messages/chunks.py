# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An ActionChunk message as a chunk of core."""

import math
from typing import Any

import numpy as np

from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.messages.image_encoding import ConversionError
from lbm_policy_node.messages.stamps import to_ns

MAX_STEP_NS = 3_600_000_000_000
"""An hour between two action rows is no plan; and times beyond it would leave the range of int64."""


def chunk_from_message(message: Any) -> ActionChunk:
    """Convert a lbm_msgs/ActionChunk; the arrays share the message's memory.

    Raises:
        ConversionError: Lengths, names and times do not fit together.
    """
    rows, columns, n_samples = message.horizon, message.action_dim, message.n_samples
    try:
        for field, stamp in (("header.stamp", message.header.stamp), ("start", message.start)):
            if stamp.nanosec >= 1_000_000_000:
                raise ConversionError(f"{field}.nanosec is {stamp.nanosec}; expected below 1000000000")
        return ActionChunk(
            chunk_id=message.chunk_id,
            observation_stamp_ns=to_ns(message.header.stamp),
            start_ns=to_ns(message.start),
            step_ns=_step_ns(message.step_s),
            actions=_shaped(message.actions, (rows, columns), "actions"),
            samples=_shaped(message.samples, (n_samples, rows, columns), "samples"),
            action_names=tuple(message.action_names),
            seed=message.seed,
            checkpoint_id=message.checkpoint_id,
            instruction=message.instruction,
            guided=message.guided,
            stochastic=message.stochastic,
            inference_s=message.inference_s,
            index=message.index,
            execution_horizon=message.execution_horizon,
            embedding=np.asarray(message.embedding, np.float32),
            input_streams=tuple(message.input_streams),
            input_stamps_ns=_stamp_rows(message.input_stamps, len(message.input_streams)),
        )
    except ValueError as error:
        raise ConversionError(f"chunk {message.chunk_id}: {error}") from error


def _step_ns(step_s: float) -> int:
    step_ns = step_s * 1e9
    if not 0.5 < step_ns < MAX_STEP_NS:  # false for NaN, too
        raise ConversionError(f"step_s is {step_s}; expected above 0 and below {MAX_STEP_NS * 1e-9:g} s")
    return round(step_ns)


def _shaped(values: Any, shape: tuple[int, ...], field: str) -> Array:
    flat = np.asarray(values, np.float64)
    if flat.size != math.prod(shape):
        raise ConversionError(f"{field} has {flat.size} values; expected {' x '.join(map(str, shape))}")
    return flat.reshape(shape)


def _stamp_rows(stamps: Any, n_streams: int) -> tuple[tuple[int, ...], ...]:
    if len(stamps) % n_streams if n_streams else len(stamps):
        raise ConversionError(f"input_stamps has {len(stamps)} times; expected a multiple of {n_streams}")
    flat = [to_ns(stamp) for stamp in stamps]
    return tuple(tuple(flat[i : i + n_streams]) for i in range(0, len(flat), n_streams or 1))
