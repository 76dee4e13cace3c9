# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the chunk executor node: those of the executor of core and the node's own."""

from dataclasses import dataclass

from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig
from lbm_policy_node.core.settings import setting

HOLD = "hold"
WARN = "warn"


@dataclass(frozen=True)
class ExecutorNodeConfig(ChunkExecutorConfig):
    """What the executor does with chunks, and whether the robot gets commands."""

    robot: str = setting("", "Robot spec: path of a YAML file.")
    enable_control: bool = setting(
        False, "Send commands to the controllers; false: shadow mode, only ControlState is published."
    )
    monitor_stop: str = setting(
        HOLD,
        "What a STOP of the monitor does. hold: come to rest until the operator takes over or a new goal "
        "starts; warn: only say so, in the log and on /diagnostics.",
        choices=(HOLD, WARN),
    )
    autostart: bool = setting(True, "Configure and activate without a lifecycle manager.")
