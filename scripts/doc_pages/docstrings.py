# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the Attributes section of a Google docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping


def attributes(value: type) -> Mapping[str, str]:
    """Return the sentence that a class's docstring says about each attribute, on one line each.

    Raises:
        ValueError: The class has no Attributes section.
    """
    lines = inspect.cleandoc(value.__doc__ or "").splitlines()
    if "Attributes:" not in lines:
        raise ValueError(f"{value.__name__} has no Attributes section in its docstring")
    found: dict[str, str] = {}
    name = ""
    for line in lines[lines.index("Attributes:") + 1 :]:
        if line and not line.startswith(" "):
            break
        entry = re.match(r" {4}(\w+): (.*)", line)
        if entry:
            name = entry[1]
            found[name] = entry[2]
        elif line.strip():
            found[name] += f" {line.strip()}"
    return found
