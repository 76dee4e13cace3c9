# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of a starter that stand for a setting of a node, such as --device for policy_node.device."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from lbm_policy_node.core.settings import Value, same_setting, settings_of
from lbm_policy_node.graph.nodes import NODE_CONFIGS

_KEY: Final = "node_setting"


def of_node(node: str, name: str) -> Any:
    """Declare a field as the setting of a node: its text, range and choices; None for "not given"."""
    field = same_setting(NODE_CONFIGS[node], name, default=None)
    return dataclasses.field(default=None, metadata={**field.metadata, _KEY: (node, name)})


def given_by_node(config: Any) -> dict[str, dict[str, Value]]:
    """Return the values that were given for nodes, by node and setting."""
    return _by_node(type(config), {f.name: getattr(config, f.name) for f in dataclasses.fields(config)})


def defaults_by_node(kind: type) -> dict[str, dict[str, Value]]:
    """Return the nodes' own defaults of the fields that stand for them, by node and setting."""
    return _by_node(kind, {entry.name: entry.default_in_force for entry in settings_of(kind)})


def _by_node(kind: type, values: dict[str, Any]) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    for field in _for_nodes(kind):
        node, key = field.metadata[_KEY]
        if values[field.name] is not None:
            found.setdefault(node, {})[key] = values[field.name]
    return found


def stands_for_node(kind: type, name: str) -> bool:
    """Whether a field stands for the setting of a node."""
    return name in [field.name for field in _for_nodes(kind)]


def _for_nodes(kind: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(kind) if _KEY in field.metadata]
