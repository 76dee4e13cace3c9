# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated robot, executor, policy and monitor in one process, as `lbm bringup --sim` starts them."""

import json
from pathlib import Path
from typing import Any

from lbm_msgs.msg import ControlState, MonitorVerdict, Reason
from lbm_msgs.srv import ResetSimulation

from helpers.executor_harness import ControlWatcher, add_executor_node
from helpers.lock_step_robot import LockStepRobot
from helpers.monitor_harness import add_monitor_node
from helpers.policy_harness import PolicyUser, add_policy_node
from helpers.ros_graph import Graph
from lbm_policy_node.graph.monitor_choice import ON, choose_monitor
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros import qos
from lbm_policy_node.sim.robot import CONTROL_RATE_HZ

SPEC, CHECKPOINT = shared_path("config/robots/metaworld.yaml"), shared_path("checkpoints/mt10")
TASK, SEED, RUN_S = "drawer-open", 5, 7.0


class MonitoredSimulation:
    """The graph with the shipped policy; time passes when the test steps it."""

    def __init__(
        self,
        checkpoint: Path = CHECKPOINT,
        *,
        robot: dict[str, Any] | None = None,
        executor: dict[str, Any] | None = None,
    ) -> None:
        """Start it.

        Args:
            checkpoint: Folder of the policy.
            robot: More parameters of the simulated robot.
            executor: More parameters of the chunk executor.
        """
        self.robot = LockStepRobot(task=TASK, **(robot or {}))
        self.graph = graph = Graph(self.robot)
        add_executor_node(graph, SPEC, enable_control=True, **(executor or {}))
        asked = choose_monitor(ON, checkpoint)
        parameters = {
            "n_samples": asked.n_samples,
            "replan_steps": asked.execution_horizon,
            "send_embedding": asked.send_embedding,
        }
        add_policy_node(graph, SPEC, checkpoint, **parameters)
        add_monitor_node(graph, SPEC, checkpoint=str(checkpoint))
        self.control, self.user = ControlWatcher(graph), PolicyUser(graph)
        self.verdicts: list[MonitorVerdict] = []
        node = self.user.node
        node.create_subscription(MonitorVerdict, "/monitor_verdicts", self.verdicts.append, qos.VERDICT)
        graph.spin_until(lambda: node.count_publishers("/monitor_verdicts"), "the monitor")
        self._reset = node.create_client(ResetSimulation, "/sim/reset")

    @property
    def levels(self) -> set[int]:
        """Of the verdicts so far."""
        return {verdict.level for verdict in self.verdicts}

    def run(self, **options: Any) -> None:
        """Lay out the scene and let the policy work until success, a stop, or the end of the time."""
        request = ResetSimulation.Request(task=TASK, seed=SEED, options_json=json.dumps(options))
        answer = self.graph.call(self._reset, request)
        assert answer.error_code == Reason.OK, answer.error_msg
        self.graph.step(8)
        assert self.user.start(answer.instruction).error_code == Reason.OK
        for _ in range(round(RUN_S * CONTROL_RATE_HZ)):
            self.graph.step()
            if self.robot.success or self.control.in_mode(ControlState.HOLD, Reason.MONITOR_STOP):
                return

    def close(self) -> None:
        """End the nodes."""
        self.graph.close()
