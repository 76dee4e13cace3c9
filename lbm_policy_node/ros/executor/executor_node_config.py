# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the chunk executor node: those of the executor of core and the node's own."""

from dataclasses import dataclass

from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig

from ..parameters import parameter

HOLD = "hold"
WARN = "warn"


@dataclass(frozen=True)
class ExecutorNodeConfig(ChunkExecutorConfig):
    """See each description; ``ros2 param describe`` shows the same."""

    robot: str = parameter("", "Robot spec: path of a YAML file.")
    enable_control: bool = parameter(
        False, "Send commands to the controllers; false: shadow mode, only ControlState is published."
    )
    monitor_stop: str = parameter(
        HOLD,
        "What a STOP of the monitor does. hold: come to rest until a person takes over or a new goal starts; "
        "warn: only say so, in the log and on /diagnostics.",
        choices=(HOLD, WARN),
    )
    autostart: bool = parameter(True, "Configure and activate without a lifecycle manager.")
