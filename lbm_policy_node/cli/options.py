# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Turns a configuration dataclass into command-line flags, so that defaults and help stand in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import Field, fields
from typing import Any

import click


def dataclass_options(kind: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add one flag per field of a dataclass that carries metadata {"help": ...}; other fields get none."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for entry in reversed(_flags(kind)):
            flag = f"--{entry.name.replace('_', '-')}"
            if isinstance(entry.default, bool):
                flag += f"/--no-{entry.name.replace('_', '-')}"
            option = click.option(
                flag,
                entry.name,
                default=entry.default,
                type=type(entry.default),
                show_default=True,
                help=entry.metadata["help"],
            )
            function = option(function)
        return function

    return decorate


def take(kind: type, values: dict[str, Any]) -> Any:
    """Build the dataclass from the flags, removing them from values."""
    try:
        return kind(**{entry.name: values.pop(entry.name) for entry in _flags(kind)})
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _flags(kind: type) -> list[Field[Any]]:
    return [entry for entry in fields(kind) if "help" in entry.metadata]


def several(flag: str, name: str, choices: Iterable[str], text: str) -> Callable[..., Any]:
    """Return an option that may be given several times, each time with one of the choices."""
    return click.option(flag, name, multiple=True, type=click.Choice(list(choices)), help=text)
