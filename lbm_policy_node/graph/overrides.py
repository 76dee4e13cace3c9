# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What a user sets for the nodes of a graph, by file, by flag and one by one, and which of them wins.

::

    what the graph derives  <  files, in their order      <  flags of the starter  <  --set NODE.SETTING=VALUE
                               (in each: wildcards, then     (--device, --shadow,     node.setting:=value
                               the entries of nodes)         device:=cuda, ...)

Everything is checked before a process starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lbm_policy_node.core.settings import SettingError, Value, build, unknown
from lbm_policy_node.graph.nodes import CLOCKS, NODE_CONFIGS, SIM_TIME, UnknownNodeError, node_settings
from lbm_policy_node.graph.params_file import Entry, matches, read_params_file

NodeSettings = Mapping[str, Mapping[str, Value]]
"""Values by node and setting."""


@dataclass(frozen=True)
class Overrides:
    """What a user sets, the weakest first.

    Attributes:
        files: From parameter files.
        flags: From flags of the starter that stand for a node's setting.
        settings: Set one by one.
    """

    files: tuple[Entry, ...] = ()
    flags: tuple[Entry, ...] = ()
    settings: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, files: Iterable[str], flags: NodeSettings, settings: NodeSettings) -> Overrides:
        """Read and check what was given; whether the graph has each node is known later.

        Raises:
            OSError: A file cannot be read.
            ValueError: A file is no parameter file, a node or setting is unknown, or a value is refused.
        """
        entries = tuple(entry for file in files for entry in read_params_file(file))
        for entry in entries:
            _check_file_entry(entry)
        return cls(entries, tuple(_entries(flags)), tuple(_entries(settings)))

    def applied(self, node: str, namespace: str, derived: Mapping[str, Value]) -> dict[str, Value]:
        """Return the parameters of a node: what the graph derives, and what the user sets on top.

        Raises:
            SettingError: A value is refused, or values do not fit together.
        """
        known, values = node_settings(node), dict(derived)
        for entry in (*self.files, *self.flags, *self.settings):
            if entry.key in known and _reaches(entry, node, namespace):
                values[entry.key] = entry.checked(node, known[entry.key])
        try:
            build(NODE_CONFIGS[node], {key: value for key, value in values.items() if key != SIM_TIME})
        except ValueError as error:
            raise SettingError(f"{node}: {error}") from error
        return values

    def check_started(self, started: Mapping[str, str]) -> list[str]:
        """Say which settings reach no node of the graph.

        Args:
            started: Namespace of each node of the graph.

        Returns:
            A message for each node of a file that the graph does not start.

        Raises:
            SettingError: A node was set one by one that the graph does not start.
        """
        for entry in self.settings:
            if entry.node not in started:
                names = ", ".join(started)
                raise SettingError(
                    f"{entry.node}.{entry.key} is set, but this graph has no {entry.node}; it has {names}"
                )
        idle = {
            f"{entry.origin}: no node of this graph has {entry.key}"
            if entry.wild
            else f"{entry.origin}: this graph has no {entry.pattern}, whose settings are not used"
            for entry in self.files
            if not any(
                _reaches(entry, node, space) and entry.key in node_settings(node)
                for node, space in started.items()
            )
        }
        return sorted(idle)


def parse_assignments(texts: Iterable[str]) -> dict[str, dict[str, Value]]:
    """Turn texts such as "policy_node.n_samples=8" into values by node and setting; a later one wins.

    Raises:
        ValueError: A text has another form, its node or setting is unknown, or its value is refused.
    """
    values: dict[str, dict[str, Value]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        node, dot, key = name.strip().partition(".")
        if not (equals and dot):
            raise SettingError(f"'{text}' is no setting of a node; expected NODE.SETTING=VALUE")
        values.setdefault(node, {})[key] = parse_setting(node, key, value)
    return values


def parse_setting(node: str, key: str, text: str) -> Any:
    """Return the value of a node's setting out of a text.

    Raises:
        ValueError: The node or the setting is unknown, or the value is refused.
    """
    known = node_settings(node)
    if key not in known:
        raise SettingError(unknown(f"{node} has no setting", key, known))
    try:
        return known[key].parse(text)
    except SettingError as error:
        raise SettingError(f"{node}.{error}") from error


def _entries(values: NodeSettings) -> Iterator[Entry]:
    for node, settings in values.items():
        known = node_settings(node)
        for key, value in settings.items():
            if key not in known:
                raise SettingError(unknown(f"{node} has no setting", key, known))
            entry = Entry("", node, key, value)
            entry.checked(node, known[key])
            yield entry


def _check_file_entry(entry: Entry) -> None:
    """Refuse a node or a setting that is not ours, and a value that no node takes."""
    names = list(NODE_CONFIGS) if entry.wild else [entry.node]
    try:
        settings = {name: node_settings(name) for name in names}
    except UnknownNodeError as error:
        raise UnknownNodeError(f"{entry.origin}: {error}") from error
    takers = {name: known[entry.key] for name, known in settings.items() if entry.key in known}
    if not takers:
        known = {key for keys in settings.values() for key in keys}
        claim = "no node has a setting" if entry.wild else f"{entry.node} has no setting"
        raise SettingError(f"{entry.origin}: {unknown(claim, entry.key, known)}")
    if not entry.wild:
        entry.checked(entry.node, takers[entry.node])


def _reaches(entry: Entry, node: str, namespace: str) -> bool:
    if not matches(entry.pattern, node, namespace):
        return False
    return not (entry.wild and entry.key == SIM_TIME and node in CLOCKS)  # they make the time
