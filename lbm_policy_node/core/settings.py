# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A setting is declared once, as a field of a dataclass; flags, parameters and pages derive from it.

::

    @dataclass(frozen=True)
    class Config:
        rate_hz: float = setting(10.0, "How often.", unit="Hz", low=0.1, high=1000.0)

    settings_of(Config)                         ROS parameters, command-line flags, launch arguments, docs
    setting_named(Config, "rate_hz").parse("5") a value out of text
    build(Config, {"rate_hz": 5})               the checked dataclass
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Final, TypeVar

Value = bool | int | float | str
Config = TypeVar("Config")
REQUIRED: Final = MISSING
"""Default of a setting that must be given."""
AUTO: Final = "auto"
"""The text that stands for None, where a setting has None for a default."""
_KEY: Final = "setting"
_WORDS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class SettingError(ValueError):
    """A setting does not exist, or its value has another type, lies outside its range or is no choice."""


@dataclass(frozen=True)
class _Facts:
    """What stands in a field's metadata."""

    text: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    inherited: Any = None


def setting(
    default: Any,
    text: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[str] = (),
) -> Any:
    """Declare a field of a dataclass as a setting.

    Args:
        default: The only default; REQUIRED for none. The type of the field must be bool, int, float or str,
            or one of them or None.
        text: What it does, in a sentence or two that a user reads.
        unit: Unit of a number, such as "s".
        low: Smallest allowed number.
        high: Largest allowed number.
        choices: The allowed texts.
    """
    return _field(default, _Facts(text, unit, low, high, tuple(choices)))


def same_setting(kind: type, name: str, *, text: str = "", **changes: Any) -> Any:
    """Declare a field as the setting of another dataclass, with its default, range and choices.

    Args:
        kind: The dataclass that declares it.
        name: Its name there.
        text: What it does here; empty: the same text.
        changes: What else differs: `default` (None for "not given"), `low` or `high`.
    """
    original = setting_named(kind, name)
    default = changes.pop("default", original.default)
    changes |= {"text": text or original.text, "inherited": original.default if default is None else None}
    return _field(default, dataclasses.replace(original.facts, **changes))


def _field(default: Any, facts: _Facts) -> Any:
    return dataclasses.field(default=default, metadata={_KEY: facts})


@dataclass(frozen=True)
class Setting:
    """One setting of a dataclass.

    Attributes:
        name: Of the field.
        kind: bool, int, float or str.
        default: The default; REQUIRED for none.
        optional: Whether it may be None: found out, or left to the setting that it stands for.
        facts: What was declared.
    """

    name: str
    kind: type[bool] | type[int] | type[float] | type[str]
    default: Any
    optional: bool
    facts: _Facts

    @classmethod
    def plain(cls, name: str, default: bool | int | float | str, text: str) -> Setting:
        """Make a setting that no dataclass declares, such as one that ROS itself gives every node."""
        return cls(name, type(default), default, False, _Facts(text))

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    @property
    def default_in_force(self) -> Any:
        """What holds when it is not given: its default, or that of the setting that it stands for."""
        return self.facts.inherited if self.default is None else self.default

    @property
    def accepts_auto(self) -> bool:
        """Whether the text "auto" stands for its None."""
        return self.optional and self.facts.inherited is None

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed texts; empty where any is."""
        return self.facts.choices

    @property
    def low(self) -> float | None:
        """Smallest allowed number."""
        return self.facts.low

    @property
    def high(self) -> float | None:
        """Largest allowed number."""
        return self.facts.high

    @property
    def unit(self) -> str:
        """Unit of a number."""
        return self.facts.unit

    @property
    def text(self) -> str:
        """What it does."""
        return self.facts.text

    @property
    def description(self) -> str:
        """What it does, with its unit."""
        return f"{self.text} Unit: {self.unit}." if self.unit else self.text

    @property
    def expectation(self) -> str:
        """What a value must be, such as "a whole number from 1 to 16"."""
        if self.choices:
            return f"one of {', '.join(choice or repr(choice) for choice in self.choices)}"
        low, high = (None if bound is None else shown(bound) for bound in (self.low, self.high))
        words = _WORDS[self.kind]
        if low is not None and high is not None:
            return f"{words} from {low} to {high}"
        if low is not None:
            return f"{words} of at least {low}"
        return words if high is None else f"{words} of at most {high}"

    def parse(self, text: str) -> Any:
        """Return the value that a text from a command line or launch argument stands for, checked.

        Raises:
            SettingError: With the text and what was expected.
        """
        if self.accepts_auto and text == AUTO:
            return None
        try:
            return self.check(_FROM_TEXT[self.kind](text))
        except SettingError:
            raise
        except ValueError as error:
            raise self._error(text) from error

    def check(self, value: Any) -> Any:
        """Return a typed value after checking it; a whole number becomes the float of a float setting.

        Raises:
            SettingError: With the value and what was expected.
        """
        if value is None and self.optional:
            return None
        if self.kind is float and type(value) is int:
            value = float(value)
        if type(value) is not self.kind or not self._within(value):
            raise self._error(value)
        return value

    def _within(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        low = self.low is None or value >= self.low
        return low and (self.high is None or value <= self.high)

    def _error(self, value: Any) -> SettingError:
        near = nearest(str(value), self.choices)
        hint = f"; did you mean '{near}'?" if near else ""
        return SettingError(f"{self.name} is {_shown(value)}; expected {self.expectation}{hint}")


def settings_of(kind: type) -> tuple[Setting, ...]:
    """List the settings of a dataclass in the order of its fields; other fields are left out."""
    hints = typing.get_type_hints(kind)
    return tuple(
        _setting(field, hints[field.name]) for field in dataclasses.fields(kind) if _KEY in field.metadata
    )


def _setting(field: dataclasses.Field[Any], hint: Any) -> Setting:
    members = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
    (kind,) = members - {types.NoneType}
    if kind not in _WORDS:
        raise TypeError(f"setting {field.name} is of type {hint}; expected bool, int, float or str")
    return Setting(field.name, kind, field.default, types.NoneType in members, field.metadata[_KEY])


def setting_named(kind: type, name: str) -> Setting:
    """Return one setting of a dataclass.

    Raises:
        SettingError: There is none of this name; the message says the nearest one.
    """
    known = {entry.name: entry for entry in settings_of(kind)}
    if name not in known:
        raise SettingError(unknown(f"{kind.__name__} has no setting", name, known))
    return known[name]


def build(kind: Callable[..., Config], values: Mapping[str, Any]) -> Config:
    """Make the dataclass from values by name; what is not given keeps its default.

    Raises:
        SettingError: A name or a value is refused.
        ValueError: The dataclass refuses what does not fit together.
    """
    assert isinstance(kind, type)
    return kind(**{name: setting_named(kind, name).check(value) for name, value in values.items()})


def check_settings(config: Any) -> None:
    """Check every setting of a filled-in dataclass; for its `__post_init__`.

    Raises:
        SettingError: A value is refused.
    """
    for entry in settings_of(type(config)):
        entry.check(getattr(config, entry.name))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that a misspelt one probably means; empty for none."""
    return next(iter(difflib.get_close_matches(name, [*known], n=1, cutoff=0.6)), "")


def unknown(claim: str, name: str, known: Iterable[str]) -> str:
    """Say that a name does not exist, and the nearest known one or else all of them.

    Args:
        claim: The beginning of the sentence, such as "policy_node has no setting".
        name: The unknown name.
        known: All names there are.
    """
    near = nearest(name, known)
    hint = f"did you mean '{near}'?" if near else f"known are {', '.join(sorted(known))}"
    return f"{claim} '{name}'; {hint}"


def shown(value: Any) -> str:
    """Return a value as one writes it on a command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if math.isnan(value) or float(f"{value:g}") == value else repr(value)
    return AUTO if value is None else str(value)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else shown(value)


def _bool(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError as error:
        raise ValueError(text) from error


_FROM_TEXT: Final[dict[type, Callable[[str], Any]]] = {bool: _bool, int: int, float: float, str: str}
