# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a YAML mapping strictly: every key known, every value of the right type, errors with file and key."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class SpecError(ValueError):
    """A robot spec that cannot be used.

    Attributes:
        file: Which file.
        key: Dotted path of the key inside it.
        value: What it says.
        expectation: What it should say.
    """

    def __init__(self, file: str, key: str, value: object, expectation: str) -> None:
        super().__init__(f"{file}: '{key}' is {value!r}: {expectation}")
        self.file = file
        self.key = key
        self.value = value
        self.expectation = expectation


class SpecReader:
    """One mapping of a spec file, read key by key; close() refuses the keys that were not read."""

    def __init__(self, file: str, key: str, value: object) -> None:
        """Open a mapping.

        Raises:
            SpecError: If the value is not a mapping with string keys.
        """
        self.file = file
        self.key = key
        if not isinstance(value, Mapping) or not all(isinstance(k, str) for k in value):
            raise SpecError(file, key or "(top level)", value, "expected a mapping with string keys")
        self._values: Mapping[str, Any] = value
        self._read: set[str] = set()

    def path(self, key: str) -> str:
        """Return the dotted path of a key of this mapping."""
        return f"{self.key}.{key}" if self.key else key

    def fail(self, key: str, expectation: str) -> SpecError:
        """Make the error for one key of this mapping."""
        return SpecError(self.file, self.path(key), self._values.get(key), expectation)

    def has(self, key: str) -> bool:
        """Whether the key is present."""
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """Return the keys in file order."""
        return tuple(self._values)

    def raw(self, key: str) -> Any:
        """Return a required value as it is."""
        self._read.add(key)
        if key not in self._values:
            raise SpecError(self.file, self.path(key), None, "this key is required")
        return self._values[key]

    def text(self, key: str, default: str | None = None) -> str:
        """Return a non-empty string."""
        value = self._default(key, default)
        if not isinstance(value, str) or not value:
            raise self.fail(key, "expected a non-empty string")
        return value

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """Return one of several words."""
        value = self._default(key, default)
        if value not in choices:
            raise self.fail(key, f"expected one of {list(choices)}")
        return value

    def number(self, key: str, *, above: float = -math.inf, default: float | None = None) -> float:
        """Return a finite number above a bound."""
        value = self._default(key, default)
        if not is_number(value) or not math.isfinite(value) or value <= above:
            raise self.fail(
                key, "expected a finite number" + (f" above {above:g}" if above > -math.inf else "")
            )
        return float(value)

    def whole(self, key: str) -> int:
        """Return a whole number above 0."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise self.fail(key, "expected a whole number above 0")
        return value

    def index(self, key: str) -> int:
        """Return a whole number from 0: the place of an axis or button in its message."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.fail(key, "expected a whole number from 0")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._default(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, "expected true or false")
        return value

    def words(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of distinct, non-empty strings."""
        value = self._default(key, default)
        if (
            not isinstance(value, list | tuple)
            or not value
            or not all(isinstance(v, str) and v for v in value)
        ):
            raise self.fail(
                key, "expected a list of names (YAML reads yes, no, on and off as booleans: quote those)"
            )
        if len(set(value)) != len(value):
            raise self.fail(key, "names must differ")
        return tuple(value)

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        """Return a list of so many finite numbers."""
        value = self.raw(key)
        if (
            not isinstance(value, list)
            or len(value) != count
            or not all(is_number(v) and math.isfinite(v) for v in value)
        ):
            raise self.fail(key, f"expected a list of {count} finite numbers")
        return tuple(float(v) for v in value)

    def mapping(self, key: str) -> "SpecReader":
        """Open a required mapping inside this one."""
        return SpecReader(self.file, self.path(key), self.raw(key))

    def items(self, key: str) -> Iterator["SpecReader"]:
        """Open each mapping of a required, non-empty list."""
        value = self.raw(key)
        if not isinstance(value, list) or not value:
            raise self.fail(key, "expected a non-empty list of mappings")
        for index, item in enumerate(value):
            yield SpecReader(self.file, f"{self.path(key)}[{index}]", item)

    def close(self) -> None:
        """Refuse keys that were not read."""
        for key in self._values:
            if key not in self._read:
                known = ", ".join(sorted(self._read))
                raise SpecError(
                    self.file, self.path(key), self._values[key], f"unknown key; known here: {known}"
                )

    def _default(self, key: str, default: Any) -> Any:
        self._read.add(key)
        return default if default is not None and key not in self._values else self.raw(key)


def is_number(value: object) -> bool:
    """Whether a YAML value is a number (a boolean is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)
