# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the scripted operator's node: those of the operator, and where it sits."""

from dataclasses import dataclass

from lbm_policy_node.core.settings import setting
from lbm_policy_node.sim.operator.operator_settings import OperatorSettings
from lbm_policy_node.sim.tasks import TASKS


@dataclass(frozen=True, kw_only=True)
class ScriptedTeleopConfig(OperatorSettings):
    """When the scripted operator takes over, how it drives, and which gamepad it plays."""

    robot: str = setting("", "Robot spec: path of a YAML file.")
    source: str = setting("", "Teleop source of the spec that it plays, of kind joy; empty: the first one.")
    task: str = setting("", "Task to solve; empty: the one that /sim/task names.", choices=("", *TASKS))
