# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The teleop kinds by name: the built-in ones, and those of other installed packages."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from lbm_policy_node.core.plugins import TELEOP_KINDS, PluginError, installed, load
from lbm_policy_node.core.takeover.guarded_kind import GuardedKind
from lbm_policy_node.core.takeover.kinds.joints import JointsKind
from lbm_policy_node.core.takeover.kinds.joy import JoyKind
from lbm_policy_node.core.takeover.kinds.pose import PoseKind
from lbm_policy_node.core.takeover.kinds.twist import TwistKind
from lbm_policy_node.core.takeover.teleop_kind import TeleopKind

BUILT_IN: Final[Mapping[str, TeleopKind[Any, Any]]] = {
    "joy": JoyKind(),
    "twist": TwistKind(),
    "pose": PoseKind(),
    "joints": JointsKind(),
}


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds, the built-in ones first.

    Raises:
        PluginError: Two packages offer the same name, or one offers a built-in name.
    """
    return (*BUILT_IN, *_names_of_other_packages(tuple(sys.path)))


def teleop_kind(name: str) -> TeleopKind[Any, Any]:
    """Return a kind by its name, one of ``kind_names()``.

    Raises:
        PluginError: The package that offers it is broken.
    """
    return BUILT_IN[name] if name in BUILT_IN else GuardedKind(load(TELEOP_KINDS, name, TeleopKind))


@lru_cache(maxsize=8)
def _names_of_other_packages(_search_path: tuple[str, ...]) -> tuple[str, ...]:
    """Look once per search path: reading the metadata of all packages takes a while."""
    offered = installed(TELEOP_KINDS)
    for name, entry in offered.items():
        if name in BUILT_IN:
            text = f"'{name}' of {TELEOP_KINDS} ({entry.value}) has the name of a built-in kind"
            raise PluginError(f"{text}; the package that offers it must rename it")
    return tuple(offered)
