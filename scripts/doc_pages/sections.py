# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a generated page says of one mapping of a YAML file beyond what its dataclass says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REQUIRED = "required"


@dataclass(frozen=True)
class Words:
    """A default that depends on other keys, said in words."""

    text: str


@dataclass(frozen=True)
class Key:
    """What the dataclass does not say about one key.

    Attributes:
        default: REQUIRED, the value that the reader takes when the key is missing, or Words.
        choices: The allowed words, where the list is fixed.
        kind: Type of the value, where the annotation of the attribute does not say it.
        unit: Unit, where the name of the key does not end with it.
        attribute: Attribute that holds the value; empty where it has the name of the key.
        meaning: Instead of the docstring's sentence.
        note: A sentence after the docstring's.
    """

    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    kind: str = ""
    unit: str = ""
    attribute: str = ""
    meaning: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One mapping of the YAML file.

    Attributes:
        path: Where it stands; `<name>` is a key of your choice, `[]` an entry of a list.
        value: The dataclass that it becomes.
        keys: By name, in the order of the page.
        derived: Attributes that no key sets.
        text: What it is for.
        when: "kind: joy" where this part of the mapping belongs to one kind of source.
    """

    path: str
    value: type
    keys: Mapping[str, Key]
    derived: tuple[str, ...] = ()
    text: str = ""
    when: str = field(default="", kw_only=True)


def by_kind(types: Mapping[str, tuple[str, ...]]) -> str:
    """List the short message types of each kind."""
    return "; ".join(f"`{kind}`: {', '.join(t.split('/')[-1] for t in types[kind])}" for kind in types)
