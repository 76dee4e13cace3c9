# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks that the values read from JSON have the types that a dataclass declares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lbm_policy_node.policies.checkpoint.errors import CheckpointError

SCALARS: Mapping[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "str": str}


def require(field: str, value: Any, good: bool, expected: str) -> None:
    """Raise CheckpointError for a field unless its value is good."""
    if not good:
        raise CheckpointError("", field, f"is {value!r}, expected {expected}")


def check_types(instance: Any) -> None:
    """Check the scalar and mapping fields of a dataclass; numbers must be finite and a bool is no number.

    Args:
        instance: The dataclass instance.

    Raises:
        CheckpointError: Naming the first field of another type.
    """
    for entry in fields(instance):
        declared = str(entry.type)
        base = declared.removesuffix(" | None")
        value = getattr(instance, entry.name)
        if value is None and base != declared:
            continue
        if base in SCALARS:
            require(entry.name, value, _is_scalar(value, base), f"type {declared}")
        elif base.startswith("Mapping["):
            require(entry.name, value, isinstance(value, Mapping), "a mapping")


def _is_scalar(value: Any, base: str) -> bool:
    if not isinstance(value, SCALARS[base]) or (isinstance(value, bool) and base != "bool"):
        return False
    return not isinstance(value, float) or math.isfinite(value)


def is_sequence_of(value: Any, kind: type) -> bool:
    """Whether a value read from JSON is a list or tuple of one kind; a bool is no number."""
    if not isinstance(value, (list, tuple)):
        return False
    return all(isinstance(item, kind) and (kind is bool or not isinstance(item, bool)) for item in value)
