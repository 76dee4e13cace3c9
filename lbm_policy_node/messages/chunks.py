# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""An ActionChunk to and from its two forms: the message lbm_msgs/ActionChunk, and the columns of a file.

Live, recorded and stored chunks all pass through here: a new field of ActionChunk has its place in this file.
"""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np

from lbm_policy_node.core.types import ActionChunk, Array
from lbm_policy_node.messages.image_encoding import ConversionError
from lbm_policy_node.messages.stamps import from_ns, to_ns

Message = TypeVar("Message")

MAX_STEP_NS = 3_600_000_000_000
"""An hour between two action rows is no plan; and times beyond it would leave the range of int64."""

_SAME = (
    *("chunk_id", "seed", "index", "execution_horizon", "guided", "stochastic", "inference_s"),
    *("checkpoint_id", "instruction"),
)
"""Fields whose value is the same in the message."""
_NUMBERS: Mapping[str, Any] = {
    **dict.fromkeys(("chunk_id", "seed"), np.uint64),
    **dict.fromkeys(("observation_stamp_ns", "start_ns", "step_ns", "index", "execution_horizon"), np.int64),
    **dict.fromkeys(("guided", "stochastic"), np.bool_),
    "inference_s": np.float64,
}
"""Fields that are one number per chunk, with their type in a file."""
_TEXTS = ("checkpoint_id", "instruction", "action_names", "input_streams")
"""Fields that are text or a list of texts per chunk."""
_BLOCKS = ("actions", "samples", "embedding", "input_stamps_ns")
"""Fields that are an array per chunk, whose shape may differ from chunk to chunk."""


@dataclass(frozen=True, eq=False)
class ChunkColumns:
    """Chunks as a file keeps them; n chunks.

    Attributes:
        arrays: Per number of a chunk an array (n,) under the field's name. Per array of a chunk the values of
            all chunks behind one another under the field's name, and their shapes (n, dimensions) under
            "<field>.shape". Real numbers that float32 holds exactly are float32, all others float64, so
            nothing is rounded.
        texts: Field to one JSON value per chunk: a text, or a list of texts.
    """

    arrays: Mapping[str, Array]
    texts: Mapping[str, Sequence[Any]]


def fill_chunk_message(message: Message, chunk: ActionChunk, *, frame_id: str) -> Message:
    """Fill a lbm_msgs/ActionChunk and return it.

    Args:
        message: One with any content, of rclpy or of a bag's types; its lists stay of the same type.
        chunk: What to say.
        frame_id: Frame of the chunk's Cartesian columns.
    """
    to: Any = message
    for name in _SAME:
        setattr(to, name, getattr(chunk, name))
    time = type(to.start)
    to.header.stamp, to.header.frame_id = from_ns(chunk.observation_stamp_ns, time), frame_id
    to.start, to.step_s = from_ns(chunk.start_ns, time), chunk.step_ns * 1e-9
    to.n_samples, to.horizon, to.action_dim = chunk.samples.shape
    to.action_names, to.input_streams = list(chunk.action_names), list(chunk.input_streams)
    to.input_stamps = [from_ns(stamp_ns, time) for row in chunk.input_stamps_ns for stamp_ns in row]
    for name in ("actions", "samples", "embedding"):
        setattr(to, name, _flat_like(getattr(to, name), getattr(chunk, name)))
    return message


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
            **{name: getattr(message, name) for name in _SAME},
            observation_stamp_ns=to_ns(message.header.stamp),
            start_ns=to_ns(message.start),
            step_ns=_step_ns(message.step_s),
            actions=_shaped(message.actions, (rows, columns), "actions"),
            samples=_shaped(message.samples, (n_samples, rows, columns), "samples"),
            action_names=tuple(message.action_names),
            embedding=np.asarray(message.embedding, np.float32),
            input_streams=tuple(message.input_streams),
            input_stamps_ns=_stamp_rows(message.input_stamps, len(message.input_streams)),
        )
    except ValueError as error:
        raise ConversionError(f"chunk {message.chunk_id}: {error}") from error


def columns_from_chunks(chunks: Sequence[ActionChunk]) -> ChunkColumns:
    """Convert chunks for a file; they may differ in everything, also in layout.

    Raises:
        ValueError: A number is outside the range of its type in the file; names the field.
    """
    arrays = {name: _numbers(name, [getattr(chunk, name) for chunk in chunks]) for name in _NUMBERS}
    for name in _BLOCKS:
        blocks = [_block(chunk, name) for chunk in chunks]
        arrays[f"{name}.shape"] = np.array([block.shape for block in blocks], np.int64)
        arrays[name] = _without_loss(np.concatenate([block.ravel() for block in blocks]))
    return ChunkColumns(arrays, {name: [getattr(chunk, name) for chunk in chunks] for name in _TEXTS})


def chunks_from_columns(columns: ChunkColumns) -> tuple[ActionChunk, ...]:
    """Convert back.

    Raises:
        KeyError: A column is missing.
        ValueError: The columns differ in length, or what they hold is no chunk.
    """
    fields: dict[str, Sequence[Any]] = {name: columns.arrays[name].tolist() for name in _NUMBERS}
    fields |= {name: [_unlisted(value) for value in columns.texts[name]] for name in _TEXTS}
    fields |= {name: list(_blocks(columns.arrays, name)) for name in _BLOCKS}
    fields["input_stamps_ns"] = [tuple(map(tuple, rows.tolist())) for rows in fields["input_stamps_ns"]]
    rows = zip(*fields.values(), strict=True)
    return tuple(ActionChunk(**dict(zip(fields, row, strict=True))) for row in rows)


def _numbers(name: str, values: list[Any]) -> Array:
    try:
        column = np.array(values, _NUMBERS[name])
    except OverflowError as error:
        raise ValueError(f"{name} does not fit into {_NUMBERS[name].__name__}: {error}") from error
    if column.tolist() != values and not np.isnan(column).any():
        raise ValueError(f"{name} does not fit into {_NUMBERS[name].__name__}: {values}")
    return column


def _block(chunk: ActionChunk, name: str) -> Array:
    if name != "input_stamps_ns":
        return getattr(chunk, name)
    shape = len(chunk.input_stamps_ns), len(chunk.input_streams)
    return np.array(chunk.input_stamps_ns, np.int64).reshape(shape)


def _without_loss(values: Array) -> Array:
    """Return float64 values as float32 where that changes none of them."""
    if values.dtype != np.float64:
        return values
    with np.errstate(over="ignore"):
        small = values.astype(np.float32)
    return small if np.array_equal(small, values, equal_nan=True) else values


def _blocks(arrays: Mapping[str, Array], name: str) -> Iterator[Array]:
    shapes = [tuple(shape) for shape in arrays[f"{name}.shape"].tolist()]
    ends = list(accumulate(math.prod(shape) for shape in shapes))
    if len(arrays[name]) != (ends[-1] if ends else 0):
        raise ValueError(f"{name} has {len(arrays[name])} values, its shapes need {ends[-1] if ends else 0}")
    for shape, part in zip(shapes, np.split(arrays[name], ends[:-1]), strict=True):
        yield part.reshape(shape)


def _unlisted(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _flat_like(present: Any, values: Array) -> Any:
    """Return values as one row: an `array` for rclpy, which takes it without a look at each, else numpy's."""
    if not isinstance(present, array):
        return values.ravel()
    return array(present.typecode, np.ascontiguousarray(values, np.dtype(present.typecode)).tobytes())


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
