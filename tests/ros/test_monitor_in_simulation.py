# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph with the shipped policy: a disturbed simulated robot is stopped, a clean run is not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from executor_harness import ControlWatcher, add_executor_node
from lbm_msgs.msg import ControlState, MonitorVerdict, Reason
from lbm_msgs.srv import ResetSimulation
from lock_step_robot import LockStepRobot
from monitor_harness import add_monitor_node
from policy_harness import PolicyUser, add_policy_node
from ros_graph import Graph

from lbm_policy_node.monitor_choice import ON, choose_monitor
from lbm_policy_node.paths import shared_path
from lbm_policy_node.ros import qos
from lbm_policy_node.sim.robot import CONTROL_RATE_HZ

TASK, SEED, RUN_S = "drawer-open", 5, 7.0
DISTURBANCES = {"occlusion": "score", "welded": "time_limit"}
"""And which detector notices: the score what looks unfamiliar, the time limit a drawer that is stuck."""
SPEC, CHECKPOINT = shared_path("config/robots/metaworld.yaml"), shared_path("checkpoints/mt10")


class MonitoredSimulation:
    """Simulated robot, executor, policy and monitor, as `lbm bringup --sim` starts them."""

    def __init__(self, checkpoint: Path = CHECKPOINT) -> None:
        self.robot = LockStepRobot(task=TASK)
        self.graph = graph = Graph(self.robot)
        add_executor_node(graph, SPEC, enable_control=True)
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
        self.graph.close()


@pytest.fixture
def simulation(ros: None) -> Iterator[MonitoredSimulation]:
    simulation = MonitoredSimulation()
    yield simulation
    simulation.close()


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_a_disturbed_robot_is_stopped_and_the_reason_is_published(simulation, disturbance):
    simulation.run(perturbation=disturbance, perturbation_after_s=0.2)
    assert simulation.control.in_mode(ControlState.HOLD, Reason.MONITOR_STOP)
    stop = simulation.verdicts[-1]
    assert (stop.level, stop.detector) == (MonitorVerdict.STOP, DISTURBANCES[disturbance])
    assert stop.monitor in simulation.control.state.reason.text
    assert "a person should take over" in simulation.control.state.reason.text


def test_the_same_scene_without_the_disturbance_is_solved_without_a_stop(simulation):
    simulation.run()
    assert simulation.robot.success
    assert MonitorVerdict.NORMAL in simulation.levels
    assert MonitorVerdict.STOP not in simulation.levels
    assert not any(s.reason.code == Reason.MONITOR_STOP for s in simulation.control.states)
