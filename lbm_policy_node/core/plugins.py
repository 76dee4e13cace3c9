# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kinds that other installed packages add to ours: scores, policies, teleop devices.

A package offers a kind by an entry point of a group below, for example in its ``setup.py``::

    entry_points={"lbm_policy.scores": ["mine = my_package.mine:Mine"]}

Every node and every ``lbm`` command then knows it by its name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Final, Generic, TypeVar

SCORES: Final = "lbm_policy.scores"
POLICY_KINDS: Final = "lbm_policy.policy_kinds"
TELEOP_KINDS: Final = "lbm_policy.teleop_kinds"

T = TypeVar("T")


class PluginError(ValueError):
    """A kind of another package cannot be used; the text names the package and what is wrong."""


@dataclass(frozen=True)
class Kinds(Generic[T]):
    """All kinds of one seam: our own, one line each in a table, and those of other installed packages.

    Nothing is imported before it is asked for by its name, so a kind that needs a large library costs
    nothing until it is used.

    Attributes:
        group: The entry points' group, one of those above.
        own: Our kinds: name to "module:attribute", as in an entry point.
        expected: What each of them must be an instance of.
    """

    group: str
    own: Mapping[str, str]
    expected: type

    def names(self) -> tuple[str, ...]:
        """Return every name, our own first.

        Raises:
            PluginError: Two packages offer the same name.
        """
        return (*self.own, *sorted(set(installed(self.group)) - set(self.own)))

    def get(self, name: str) -> T:
        """Import a kind.

        Args:
            name: One of ``names()``.

        Raises:
            PluginError: Another package offers one of our names, or the kind cannot be imported.
        """
        found = installed(self.group)
        if name not in self.own:
            return _import(found[name], self.expected)
        if name in found:
            text = f"'{name}' of {self.group} ({found[name].value}) has the name of a built-in kind"
            raise PluginError(f"{text}; the package that offers it must choose another one")
        return _import(EntryPoint(name, self.own[name], self.group), self.expected)


def installed(group: str) -> Mapping[str, EntryPoint]:
    """Return the kinds that other packages offer, by name; nothing of them is imported yet.

    Raises:
        PluginError: Two packages offer the same name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in _entry_points(group, tuple(sys.path)):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            both = f"{other.value} and {entry.value}"
            raise PluginError(f"two packages offer '{entry.name}' in {group}: {both}")
    return found


@lru_cache(maxsize=32)
def _entry_points(group: str, _search_path: tuple[str, ...]) -> EntryPoints:
    """Look once per search path: reading the metadata of all packages takes up to a tenth of a second."""
    return entry_points(group=group)


def import_attribute(path: str) -> Any:
    """Import what a kind names by "module:attribute", such as its trainer.

    Raises:
        PluginError: It cannot be imported.
    """
    try:
        return EntryPoint("", path, "").load()
    except Exception as error:  # the code of another package runs here, and may raise anything
        raise PluginError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error


def _import(entry: EntryPoint, expected: type) -> Any:
    try:
        kind = import_attribute(entry.value)
    except PluginError as error:
        raise PluginError(f"'{entry.name}' of {entry.group}: {error}") from error
    if not isinstance(kind, expected):
        text = f"'{entry.name}' of {entry.group} ({entry.value}) is a {type(kind).__name__}"
        raise PluginError(f"{text}; expected a {expected.__name__}")
    return kind
