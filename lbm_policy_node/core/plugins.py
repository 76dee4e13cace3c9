# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Kinds that other installed packages add to ours: scores, policies, teleop devices.

A package offers a kind by an entry point of a group below (``setup.py``: ``entry_points={"lbm_policy.scores":
["mine = my_package.mine:SCORE"]}``); every node and every ``lbm`` command then knows it by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

SCORES: Final = "lbm_policy.scores"
POLICY_KINDS: Final = "lbm_policy.policy_kinds"
TELEOP_KINDS: Final = "lbm_policy.teleop_kinds"


class PluginError(ValueError):
    """A kind of another package cannot be used; the text names the package and what is wrong."""


def installed(group: str) -> Mapping[str, EntryPoint]:
    """Return the kinds that other packages offer, by name; nothing of them is imported yet.

    Raises:
        PluginError: Two packages offer the same name.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise PluginError(
                f"two packages offer '{entry.name}' in {group}: {other.value} and {entry.value}"
            )
    return found


def load(group: str, name: str, expected: type) -> Any:
    """Import an installed kind.

    Args:
        group: One of the groups above.
        name: A key of ``installed(group)``.
        expected: What it must be an instance of.

    Raises:
        PluginError: It cannot be imported, or is something else.
    """
    entry = installed(group)[name]
    try:
        kind = entry.load()
    except (ImportError, AttributeError) as error:
        raise PluginError(f"'{name}' of {group} ({entry.value}) cannot be imported: {error}") from error
    if not isinstance(kind, expected):
        text = f"'{name}' of {group} ({entry.value}) is a {type(kind).__name__}"
        raise PluginError(f"{text}; expected a {expected.__name__}")
    return kind
