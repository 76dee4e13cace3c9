# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of policy by its name; what a kind can do is said by its registration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lbm_policy_node.core import plugins
from lbm_policy_node.core.plugins import Kinds, PluginError
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import CONFIG_FILE, read_json
from lbm_policy_node.policies.kind import PolicyKind

_HERE = "lbm_policy_node.policies"
_KINDS: Kinds[PolicyKind] = Kinds(
    plugins.POLICY_KINDS,
    {
        "multi_task_dit": f"{_HERE}.multitask_dit.kind:POLICY_KIND",
        "pi0": f"{_HERE}.pi0.kind:POLICY_KIND",
        "pi05": f"{_HERE}.pi0.kind:POLICY_KIND",
        "remote": f"{_HERE}.remote.kind:POLICY_KIND",
        "weightless": f"{_HERE}.weightless:POLICY_KIND",
    },
    PolicyKind,
)


def kind_of(directory: Path) -> tuple[str, PolicyKind]:
    """Return the kind of a checkpoint, which "type" in its config.json names.

    Raises:
        CheckpointError: There is no such folder, file or kind, or that of another package cannot be used.
    """
    if not directory.is_dir():
        raise CheckpointError(directory, "", "checkpoint directory is missing")
    config = read_json(directory / CONFIG_FILE)
    name = config.get("type")
    if name is None and "action_horizon" in config:
        text = "is a checkpoint of openpi, which names no cameras: `lbm import-openpi` makes it a LeRobot one"
        raise CheckpointError(directory, "", text)
    try:
        if isinstance(name, str) and name in _KINDS.names():
            return name, _KINDS.get(name)
        known = _KINDS.names()
    except PluginError as error:
        raise CheckpointError(directory / CONFIG_FILE, "type", f"is {name!r}: {error}") from error
    raise CheckpointError(directory / CONFIG_FILE, "type", f"is {name!r}, expected one of {known}")


def kinds_with(ability: Callable[[PolicyKind], object]) -> dict[str, PolicyKind]:
    """Return the kinds that can do something, by name; one that cannot be imported can do nothing.

    Args:
        ability: What is asked of each kind; true where it can.

    Raises:
        PluginError: Two packages offer the same name.
    """
    found: dict[str, PolicyKind] = {}
    for name in _KINDS.names():
        try:
            kind = _KINDS.get(name)
        except PluginError:  # `get` gives the reason to who asks for it by name
            continue
        if ability(kind):
            found[name] = kind
    return found


def lacks(directory: Path, name: str, text: str, ability: Callable[[PolicyKind], object]) -> CheckpointError:
    """Return the refusal of a checkpoint whose kind lacks an ability; it names the kinds that have it.

    Args:
        directory: The checkpoint.
        name: Its kind.
        text: What it cannot do, as in "is 'weightless', which has no action statistics".
        ability: As for `kinds_with`.
    """
    able = ", ".join(kinds_with(ability))
    return CheckpointError(directory / CONFIG_FILE, "type", f"is '{name}', which {text}; {able} can be used")
