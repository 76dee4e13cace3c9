# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Records whose every field differs from its default and from every other field.

A test that writes such a record and reads it back fails for each field that is lost, mixed up with another
or left at its default. Fields are taken from the class, so a field that somebody adds later is tested, too.
"""

from __future__ import annotations

import dataclasses
import itertools
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
Numbers = Iterator[int]
"""Counts up through one record, so that no value comes twice."""


def differing(kind: type[T], /, fixed: Sequence[str] = (), **given: Any) -> T:
    """Make a dataclass with values that no other field has.

    Args:
        kind: The dataclass.
        fixed: Fields that allow no other value than their default.
        given: Values of fields whose class allows few (a choice, a shape). They must differ from the default.

    Raises:
        AssertionError: A given value is the default or the same as another field's.
        TypeError: A field's type is not known here; give its value.
    """
    return _record(kind, itertools.count(3), fixed, given)


def _record(
    kind: type[T], numbers: Numbers, fixed: Sequence[str] = (), given: Mapping[str, Any] | None = None
) -> T:
    hints = typing.get_type_hints(kind)
    values = dict(given or {})
    for field in dataclasses.fields(typing.cast(Any, kind)):
        if field.init and field.name not in (*values, *fixed):
            made = _value(hints[field.name], field.name, numbers)
            values[field.name] = field.default is not True if isinstance(made, bool) else made
    record = kind(**values)
    assert_differs(record, fixed)
    return record


def assert_differs(record: Any, fixed: Sequence[str] = ()) -> None:
    """Fail where a field has its default or the value of another field; True and False may come twice."""
    seen: dict[str, str] = {}
    for field in (field for field in dataclasses.fields(record) if field.name not in fixed):
        value = getattr(record, field.name)
        assert not _same(value, _default(field)), f"{field.name} has its default, {value!r}"
        twin = seen.setdefault(repr(value), field.name)
        assert isinstance(value, bool) or twin == field.name, f"{field.name} and {twin} are both {value!r}"


def assert_same_record(back: Any, record: Any) -> None:
    """Fail with the name of the first field that is not as it was; arrays are compared value by value."""
    assert type(back) is type(record)
    for field in dataclasses.fields(record):
        ours, theirs = getattr(record, field.name), getattr(back, field.name)
        assert _same(theirs, ours), f"{field.name} was {ours!r}, came back as {theirs!r}"


def differing_message(kind: type[T]) -> T:
    """Make a ROS message with values that no other field has; lists have two entries."""
    return _message(kind, itertools.count(3))


def _message(kind: type[T], numbers: Numbers) -> T:
    message: Any = kind()
    for name, type_name in message.get_fields_and_field_types().items():
        setattr(message, name, _message_value(type(getattr(message, name)), type_name, name, numbers))
    return message


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return (
            type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and (a == b or (a != a and b != b))  # NaN is as NaN was


def _value(hint: Any, name: str, numbers: Numbers) -> Any:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(next(part for part in parts if part is not type(None)), name, numbers)
    if origin is typing.Literal:
        return parts[-1]
    if origin is tuple:
        kinds = [parts[0]] * 2 if parts[-1] is Ellipsis else parts
        return tuple(_value(part, name, numbers) for part in kinds)
    if origin is not None and issubclass(origin, Mapping):
        return {f"{name}{next(numbers)}": _value(parts[1], name, numbers)}
    if origin is not None and issubclass(origin, Sequence):
        return [_value(parts[0], name, numbers) for _ in range(2)]
    return _plain(hint, name, numbers)


def _plain(hint: Any, name: str, numbers: Numbers) -> Any:
    if hint is bool:
        return True
    if hint is int:
        return next(numbers)
    if hint is float:
        return next(numbers) + 0.25
    if hint in (str, Any):
        return f"{name}-{next(numbers)}-ä"
    if hint is Path:
        return Path(f"{name}-{next(numbers)}")
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    if dataclasses.is_dataclass(hint):
        return _record(typing.cast(Any, hint), numbers)
    raise TypeError(f"how to make a {hint} for '{name}' is not known; give a value")


def _message_value(kind: type, type_name: str, name: str, numbers: Numbers) -> Any:
    if type_name.startswith("sequence<"):
        item = type_name.removeprefix("sequence<").removesuffix(">")
        return [_message_value(_python_type(item), item, name, numbers) for _ in range(2)]
    if "/" in type_name:
        return _message(kind, numbers)
    if type_name in ("float", "double"):
        return next(numbers) + 0.25
    if type_name == "boolean":
        return True
    return f"{name}-{next(numbers)}-ä" if type_name == "string" else next(numbers)


def _python_type(type_name: str) -> Any:
    """The class of a message inside a list, "lbm_msgs/Reason"; plain types need none."""
    if "/" not in type_name:
        return object
    package, name = type_name.split("/")
    return getattr(__import__(f"{package}.msg", fromlist=[name]), name)
