# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of core to and from the messages of lbm_msgs, and the times and arrays that all messages share."""

import math
from array import array
from typing import Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from lbm_msgs.action import RunPolicy
from lbm_msgs.msg import ActionChunk as ActionChunkMessage
from lbm_msgs.msg import Reason as ReasonMessage

from lbm_policy_node.core.reasons import Reason, ReasonCode
from lbm_policy_node.core.types import ActionChunk, Array

from .goal import Ending
from .image_encoding import ConversionError

Response = TypeVar("Response")


def to_ns(stamp: Time) -> int:
    """Return a message's time in nanoseconds."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def to_stamp(time_ns: int) -> Time:
    """Return nanoseconds as a message's time."""
    sec, nanosec = divmod(time_ns, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


def to_float_array(values: Any) -> array:
    """Return numbers as the one type that a float64[] field takes without checking each element."""
    return array("d", np.ascontiguousarray(values, np.float64).tobytes())


def reason_message(reason: Reason) -> ReasonMessage:
    """Convert a reason; the numbers are the same."""
    return ReasonMessage(code=int(reason.code), text=reason.text)


def fill_error(response: Response, reason: Reason) -> Response:
    """Fill the ``error_code`` and ``error_msg`` of a service response."""
    response.error_code, response.error_msg = int(reason.code), reason.text  # type: ignore[attr-defined]
    return response


def result_message(ending: Ending) -> RunPolicy.Result:
    """Convert the end of a run."""
    result = RunPolicy.Result(
        termination_reason=int(ending.termination),
        elapsed_s=ending.run.elapsed_s(ending.now_ns),
        n_chunks=ending.run.n_chunks,
    )
    return fill_error(result, ending.reason)


def chunk_message(chunk: ActionChunk, *, frame_id: str) -> ActionChunkMessage:
    """Convert a chunk; ``frame_id`` is the frame of its Cartesian columns."""
    message = ActionChunkMessage(
        chunk_id=chunk.chunk_id,
        start=to_stamp(chunk.start_ns),
        step_s=chunk.step_ns * 1e-9,
        horizon=chunk.horizon,
        action_dim=chunk.action_dim,
        action_names=list(chunk.action_names),
        n_samples=len(chunk.samples),
        guided=chunk.guided,
        stochastic=chunk.stochastic,
        seed=chunk.seed,
        checkpoint_id=chunk.checkpoint_id,
        instruction=chunk.instruction,
        inference_s=chunk.inference_s,
    )
    message.header.stamp, message.header.frame_id = to_stamp(chunk.observation_stamp_ns), frame_id
    message.actions, message.samples = to_float_array(chunk.actions), to_float_array(chunk.samples)
    return message


def chunk_from_message(message: ActionChunkMessage) -> ActionChunk:
    """Convert a chunk; the arrays share the message's memory.

    Raises:
        ConversionError: Lengths, names and times do not fit together.
    """
    rows, columns, n_samples = message.horizon, message.action_dim, message.n_samples
    try:
        return ActionChunk(
            chunk_id=message.chunk_id,
            observation_stamp_ns=to_ns(message.header.stamp),
            start_ns=to_ns(message.start),
            step_ns=round(message.step_s * 1e9) if math.isfinite(message.step_s) else 0,
            actions=_shaped(message.actions, (rows, columns), "actions"),
            samples=_shaped(message.samples, (n_samples, rows, columns), "samples"),
            action_names=tuple(message.action_names),
            seed=message.seed,
            checkpoint_id=message.checkpoint_id,
            instruction=message.instruction,
            guided=message.guided,
            stochastic=message.stochastic,
            inference_s=message.inference_s,
        )
    except ValueError as error:
        raise ConversionError(f"chunk {message.chunk_id}: {error}") from error


def layout_reason(error: ConversionError) -> Reason:
    """Name what is wrong with a chunk that could not be converted."""
    return Reason(ReasonCode.CHUNK_WRONG_LAYOUT, str(error))


def _shaped(values: Any, shape: tuple[int, ...], field: str) -> Array:
    flat = np.asarray(values, np.float64)
    if flat.size != math.prod(shape):
        raise ConversionError(f"{field} has {flat.size} values; expected {' x '.join(map(str, shape))}")
    return flat.reshape(shape)
