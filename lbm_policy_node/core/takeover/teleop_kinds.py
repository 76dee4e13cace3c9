# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The teleop kinds by name: the built-in ones, and those of other installed packages."""

from typing import Any

from lbm_policy_node.core.plugins import TELEOP_KINDS, Kinds
from lbm_policy_node.core.takeover.guarded_kind import GuardedKind
from lbm_policy_node.core.takeover.teleop_kind import TeleopKind

_HERE = "lbm_policy_node.core.takeover.kinds"
BUILT_IN = {
    "joy": f"{_HERE}.joy:KIND",
    "twist": f"{_HERE}.twist:KIND",
    "pose": f"{_HERE}.pose:KIND",
    "joints": f"{_HERE}.joints:KIND",
}
_KINDS: Kinds[TeleopKind[Any, Any]] = Kinds(TELEOP_KINDS, BUILT_IN, TeleopKind)


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds, the built-in ones first.

    Raises:
        PluginError: Two packages offer the same name.
    """
    return _KINDS.names()


def teleop_kind(name: str) -> TeleopKind[Any, Any]:
    """Return a kind by its name, one of ``kind_names()``.

    Raises:
        PluginError: The package that offers it is broken, or has taken the name of a built-in kind.
    """
    kind = _KINDS.get(name)
    return kind if name in BUILT_IN else GuardedKind(kind)
