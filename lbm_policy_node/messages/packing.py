# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Values and numpy arrays as msgpack bytes, the way openpi's client and server write them; never pickle.

An array is the map ``{b"__ndarray__": True, b"data": bytes, b"dtype": "<f4", b"shape": [2, 3]}`` with its
bytes in row order, a numpy scalar ``{b"__npgeneric__": True, b"data": number, b"dtype": "<f4"}``; both have
byte strings as keys (openpi-client 0.1.2, msgpack_numpy).
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgpack
import numpy as np

NUMBERS = re.compile(r"[<>|]?(b1|[iu][1248]|f[248])")
"""numpy's dtype strings of numbers; objects, structures and text would need trust in the sender."""
MAX_AXES = 8


class PackingError(ValueError):
    """Bytes that are not such a message, or a value that cannot travel; the text says which and why."""


def pack(value: Any) -> bytes:
    """Write plain values (None, bool, int, float, str, bytes, list, dict) and arrays of numbers.

    Raises:
        PackingError: Something else is in there, an array of objects for example.
    """
    try:
        return bytes(msgpack.packb(value, default=_pack_array) or b"")  # its stub allows None
    except (TypeError, OverflowError, ValueError) as error:
        raise PackingError(f"cannot be sent: {error}") from error


def unpack(data: bytes) -> Any:
    """Read what ``pack`` or openpi wrote; arrays are read-only views of the bytes.

    Raises:
        PackingError: Not msgpack, more than one message, or an array whose parts do not fit together.
    """
    try:
        return msgpack.unpackb(data, object_hook=_unpack_array)
    except PackingError:
        raise
    except (msgpack.UnpackException, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise PackingError(f"is not a msgpack message: {error or type(error).__name__}") from error


def _pack_array(value: Any) -> Any:
    if not isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"a {type(value).__name__} is neither a plain value nor an array")
    _number(value.dtype.str)
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}


def _unpack_array(entry: dict[Any, Any]) -> Any:
    if b"__ndarray__" in entry:
        return _array(entry.get(b"data"), _number(entry.get(b"dtype")), entry.get(b"shape"))
    if b"__npgeneric__" in entry:
        dtype, value = _number(entry.get(b"dtype")), entry.get(b"data")
        if not isinstance(value, (bool, int, float)):
            raise PackingError(
                f"a scalar of type '{dtype}' holds a {type(value).__name__}; expected a number"
            )
        return dtype.type(value)
    return entry


def _number(name: Any) -> np.dtype[Any]:
    if not isinstance(name, str) or not NUMBERS.fullmatch(name):
        raise PackingError(f"array type {name!r} is refused; expected whole numbers, floats or booleans")
    return np.dtype(name)


def _array(data: Any, dtype: np.dtype[Any], shape: Any) -> np.ndarray[Any, Any]:
    whole = (
        isinstance(shape, list) and len(shape) <= MAX_AXES and all(type(n) is int and n >= 0 for n in shape)
    )
    if not whole:
        raise PackingError(
            f"array shape {shape!r} is refused; expected at most {MAX_AXES} lengths of 0 or more"
        )
    expected = math.prod(shape) * dtype.itemsize
    if not isinstance(data, bytes) or len(data) != expected:
        size = f"{len(data)} bytes" if isinstance(data, bytes) else type(data).__name__
        raise PackingError(
            f"an array of shape {shape} and type '{dtype}' has {size}; expected {expected} bytes"
        )
    return np.frombuffer(data, dtype).reshape(shape)
