# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Turns the settings of a dataclass into command-line flags, so that defaults and help stand in one place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import click

from lbm_policy_node.core.settings import Setting, SettingError, settings_of, shown

Config = TypeVar("Config")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def dataclass_options(
    kind: type,
    *,
    only: Collection[str] = (),
    flags: Mapping[str, str] | None = None,
    prefix: str = "",
) -> Decorator:
    """Add one flag per setting of a dataclass; without a flag the dataclass's own default holds.

    Args:
        kind: The dataclass.
        only: Names of the settings to take; empty: all.
        flags: Flags by name of the setting, where they are not made of its name.
        prefix: Begins every help text, such as "With --live: ".
    """
    chosen = [entry for entry in settings_of(kind) if not only or entry.name in only]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for entry in reversed(chosen):
            function = _option(entry, (flags or {}).get(entry.name, ""), prefix)(function)
        return function

    return decorate


def take(kind: Callable[..., Config], values: dict[str, Any], **more: Any) -> Config:
    """Build the dataclass from the flags, removing them from values.

    Args:
        kind: The dataclass.
        values: Every flag of the command.
        more: Fields that have no flag.
    """
    assert isinstance(kind, type)
    given = {entry: values.pop(entry.name) for entry in settings_of(kind) if entry.name in values}
    try:
        checked = {e.name: _checked(e, value) for e, value in given.items() if value is not None}
        return kind(**checked, **more)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def several(flag: str, name: str, choices: Iterable[str], text: str) -> Callable[..., Any]:
    """Return an option that may be given several times, each time with one of the choices."""
    return click.option(flag, name, multiple=True, type=click.Choice(list(choices)), help=text)


def _option(entry: Setting, flag: str, prefix: str) -> Decorator:
    dashed = entry.name.replace("_", "-")
    made = f"--{dashed}/--no-{dashed}" if entry.kind is bool else f"--{dashed}"
    return click.option(
        flag or made,
        entry.name,
        default=None,
        required=entry.required,
        is_flag=True if entry.kind is bool else None,
        type=_type(entry),
        help=prefix + entry.description + _default_text(entry),
    )


def _type(entry: Setting) -> click.ParamType | type:
    choices = [choice for choice in entry.choices if choice]
    if choices:
        return click.Choice(choices)
    if entry.kind is int and (entry.low is not None or entry.high is not None):
        return click.IntRange(_whole(entry.low), _whole(entry.high))
    if entry.kind is float and (entry.low is not None or entry.high is not None):
        return click.FloatRange(entry.low, entry.high)
    return entry.kind


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _default_text(entry: Setting) -> str:
    default = entry.default_in_force
    if entry.required or default is None or default is False or default == "":
        return ""
    return f"  [default: {shown(default)}]"


def _checked(entry: Setting, value: Any) -> Any:
    try:
        return entry.check(value)
    except SettingError as error:
        raise click.BadParameter(str(error), param_hint=f"--{entry.name.replace('_', '-')}") from error
