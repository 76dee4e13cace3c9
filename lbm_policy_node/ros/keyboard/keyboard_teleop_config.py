# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the keyboard teleop's node."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import setting


@dataclass(frozen=True, kw_only=True)
class KeyboardTeleopConfig:
    """Which gamepad of which robot the keyboard plays."""

    robot: str = setting("", "Robot spec: path of a YAML file.")
    source: str = setting("", "Teleop source of the spec that it plays, of kind joy; empty: the first one.")
