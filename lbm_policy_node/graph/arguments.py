# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of the launch files, and what a user chose with them; needs no `launch`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from lbm_policy_node.core.settings import AUTO, Setting, nearest, settings_of, shown
from lbm_policy_node.graph.nodes import NODE_CONFIGS, node_settings
from lbm_policy_node.graph.overrides import parse_setting

Config = TypeVar("Config")
PARAMS_FILE: Final = "params_file"
NOT_GIVEN: Final = ""
"""Text of an argument that leaves the decision to a parameter file or to the node's own default."""
_SWITCH: Final = ("true", "false")


@dataclass(frozen=True)
class Argument:
    """One argument of a launch file.

    Attributes:
        name: As in name:=value.
        default: Text; None where it must be given.
        description: For ``ros2 launch --show-args``.
        choices: The allowed texts; empty where any is.
    """

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()


def launch_arguments(kind: type, nodes: Iterable[str]) -> tuple[Argument, ...]:
    """List the arguments of a launch file: a starter's settings, the parameter file, and all of its nodes'.

    Args:
        kind: Dataclass with the starter's settings.
        nodes: The nodes that it may start.
    """
    file = Argument(PARAMS_FILE, NOT_GIVEN, "ROS 2 parameter file for the nodes; see docs/parameters.md.")
    return (*map(_starter_argument, settings_of(kind)), file, *_node_arguments(nodes))


def config_of(kind: type[Config], texts: Mapping[str, str]) -> Config:
    """Return what a user chose.

    Args:
        kind: Dataclass with the starter's settings.
        texts: Every launch argument that is set, also those of launch files that include this one.

    Raises:
        ValueError: A text is refused, or names a setting of a node that does not exist.
    """
    values: dict[str, Any] = {}
    for entry in settings_of(kind):
        text = texts.get(entry.name, NOT_GIVEN)
        if entry.required or text != NOT_GIVEN:
            values[entry.name] = entry.parse(text)
    file = texts.get(PARAMS_FILE, NOT_GIVEN)
    values |= {"params_files": (file,) if file else (), "settings": _node_values(texts)}
    return kind(**values)


def _starter_argument(entry: Setting) -> Argument:
    default = entry.default_in_force
    text = f"{entry.description} Empty: {shown(default) or 'empty'}, unless params_file says otherwise."
    left_open = entry.optional and not entry.accepts_auto
    choices = entry.choices or (_SWITCH if entry.kind is bool else ())
    if choices and left_open:
        choices = (NOT_GIVEN, *choices)
    if choices and entry.accepts_auto:
        choices = (AUTO, *choices)
    return Argument(
        entry.name,
        None if entry.required else NOT_GIVEN if left_open else shown(default),
        text if left_open else entry.description,
        choices,
    )


def _node_arguments(nodes: Iterable[str]) -> Iterator[Argument]:
    for node in nodes:
        for entry in node_settings(node).values():
            text = f"{entry.description} Expected: {entry.expectation}. Default: {shown(entry.default)!r}."
            yield Argument(f"{node}.{entry.name}", NOT_GIVEN, text)


def _node_values(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the settings of nodes; other dotted names belong to other launch files."""
    values: dict[str, dict[str, Any]] = {}
    for name, text in texts.items():
        node, dot, key = name.partition(".")
        if not dot or not nearest(node, NODE_CONFIGS):
            continue
        if text != NOT_GIVEN or key not in node_settings(node):
            values.setdefault(node, {})[key] = parse_setting(node, key, text)
    return values
