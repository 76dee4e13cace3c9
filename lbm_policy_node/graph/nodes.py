# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The nodes of this package: which program each one is, which settings it has, and its process."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lbm_policy_node.core.settings import Setting, Value, settings_of, unknown
from lbm_policy_node.ros.executor.executor_node_config import ExecutorNodeConfig
from lbm_policy_node.ros.keyboard.keyboard_teleop_config import KeyboardTeleopConfig
from lbm_policy_node.ros.monitor.monitor_node_config import MonitorNodeConfig
from lbm_policy_node.ros.player.bag_player_config import BagPlayerConfig
from lbm_policy_node.ros.policy.policy_node_config import PolicyNodeConfig
from lbm_policy_node.ros.recorder.recorder_node_config import RecorderNodeConfig
from lbm_policy_node.ros.sim.scripted_teleop_config import ScriptedTeleopConfig
from lbm_policy_node.ros.sim.sim_robot_config import SimRobotConfig

ROBOT, EXECUTOR, POLICY, PLAYER = "sim_robot_node", "chunk_executor_node", "policy_node", "bag_player_node"
MONITOR, RECORDER, OPERATOR = "monitor_node", "recorder_node", "scripted_teleop_node"
NODE_MODULES: Final[dict[str, str]] = {
    name: f"lbm_policy_node.ros.{folder}.{name}"
    for name, folder in {
        POLICY: "policy",
        EXECUTOR: "executor",
        MONITOR: "monitor",
        RECORDER: "recorder",
        ROBOT: "sim",
        OPERATOR: "sim",
        "keyboard_teleop_node": "keyboard",
        PLAYER: "player",
    }.items()
}
"""Module of each program, as ``python -m`` runs it; setup.py installs each under its node's name."""

NODE_CONFIGS: Final[dict[str, type]] = {
    POLICY: PolicyNodeConfig,
    EXECUTOR: ExecutorNodeConfig,
    MONITOR: MonitorNodeConfig,
    RECORDER: RecorderNodeConfig,
    ROBOT: SimRobotConfig,
    OPERATOR: ScriptedTeleopConfig,
    "keyboard_teleop_node": KeyboardTeleopConfig,
    PLAYER: BagPlayerConfig,
}
"""The dataclass that declares the settings of each node."""

SIM_TIME: Final = "use_sim_time"
CLOCKS: Final = (ROBOT, PLAYER)
"""Nodes that publish /clock."""
_SIM_TIME: Final = Setting.plain(SIM_TIME, False, "Follow /clock; every node has this parameter.")


class UnknownNodeError(ValueError):
    """There is no node of this name."""


@dataclass(frozen=True, kw_only=True)
class NodeProcess:
    """One node in one process.

    Attributes:
        name: Node name, and the prefix of its output.
        module: What ``python -m`` runs.
        namespace: ROS namespace, empty for the root.
        parameters: ROS parameters.
        environment: Variables on top of the starter's.
    """

    name: str
    module: str
    namespace: str = ""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def executable(self) -> str:
        """Name of the installed program, as ``ros2 run lbm_policy <executable>`` takes it."""
        return self.module.rpartition(".")[2]

    @property
    def arguments(self) -> list[str]:
        """ROS arguments that set name, namespace and parameters."""
        arguments = ["--ros-args", "-r", f"__node:={self.name}"]
        if self.namespace:
            arguments += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for key, value in self.parameters.items():
            arguments += ["-p", f"{key}:={_yaml(value)}"]
        return arguments


def node_settings(node: str) -> dict[str, Setting]:
    """Return the settings of a node by name, ``use_sim_time`` last.

    Raises:
        UnknownNodeError: With the nearest known node.
    """
    if node not in NODE_CONFIGS:
        raise UnknownNodeError(unknown("there is no node", node, NODE_CONFIGS))
    return {**{entry.name: entry for entry in settings_of(NODE_CONFIGS[node])}, SIM_TIME: _SIM_TIME}


def _yaml(value: Any) -> str:
    """Write a scalar: JSON is YAML ("1" stays a text, 1.0 a float), but for what JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return json.dumps(value)
