# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A ROS 2 parameter file, read before any node starts.

::

    /**:                      # every node that has the setting
      ros__parameters:
        use_sim_time: true
    policy_node:              # the node in whichever namespace the graph gives it
      ros__parameters:
        n_samples: 8
    /left/chunk_executor_node:   # only in the namespace /left
      ros__parameters:
        enable_control: true
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from lbm_policy_node.core.settings import Setting, SettingError

PARAMETERS: Final = "ros__parameters"
_WILDCARDS: Final = {"**": ".*", "*": "[^/]+"}


class ParamsFileError(ValueError):
    """A file is no ROS 2 parameter file."""


@dataclass(frozen=True)
class Entry:
    """One value that a user gave.

    Attributes:
        origin: The file; empty for a flag.
        pattern: Which nodes it is for: a name, or a path with namespace and wildcards.
        key: Name of the setting.
        value: Not checked yet.
    """

    origin: str
    pattern: str
    key: str
    value: Any

    @property
    def node(self) -> str:
        """The last part of the pattern: the node's name."""
        return self.pattern.rpartition("/")[2]

    @property
    def wild(self) -> bool:
        """Whether it names no node, as /** does."""
        return "*" in self.node

    def checked(self, node: str, setting: Setting) -> Any:
        """Return the value for a node.

        Raises:
            SettingError: With file, node and setting.
        """
        try:
            return setting.check(self.value)
        except SettingError as error:
            where = f"{self.origin}: " if self.origin else ""
            raise SettingError(f"{where}{node}.{error}") from error


def read_params_file(file: str | Path) -> list[Entry]:
    """Return the entries of a file: those with wildcards first, because those of nodes win over them.

    Raises:
        OSError: It cannot be read.
        ParamsFileError: It is no YAML, or not of the form that ROS 2 reads.
    """
    try:
        content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsFileError(f"{file} is no YAML: {error}") from error
    if content is None:
        return []
    return sorted(_entries(str(file), "", content), key=lambda entry: not entry.wild)


def _entries(file: str, path: str, content: Any) -> Iterator[Entry]:
    if not isinstance(content, Mapping):
        place = f"under '{path}'" if path else "at its top"
        raise ParamsFileError(f"{file}: expected {PARAMETERS} {place}, is {content!r}")
    for key, below in content.items():
        if key != PARAMETERS:
            yield from _entries(file, f"{path.rstrip('/')}/{key}" if path else str(key), below)
        elif not path or not isinstance(below, Mapping):
            raise ParamsFileError(f"{file}: expected a node with settings under {PARAMETERS}, is {below!r}")
        else:
            yield from (Entry(file, path, str(name), value) for name, value in below.items())


def matches(pattern: str, node: str, namespace: str) -> bool:
    """Whether an entry is for a node; a name without a slash is for the node in any namespace."""
    if "/" not in pattern:
        return pattern in (node, "*", "**")
    parts = [_WILDCARDS.get(part, re.escape(part)) for part in pattern.strip("/").split("/")]
    path = "/".join(part for part in (namespace.strip("/"), node) if part)
    return re.fullmatch("/".join(parts).replace(".*/", "(?:.*/)?"), path) is not None
