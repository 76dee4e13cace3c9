# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph with the shipped policy: a disturbed simulated robot is stopped, a clean run is not."""

from collections.abc import Iterator

import pytest
from lbm_msgs.msg import ControlState, MonitorVerdict, Reason

from helpers.monitored_simulation import MonitoredSimulation

DISTURBANCES = {"occlusion": "score", "welded": "time_limit"}
"""And which detector notices: the score what looks unfamiliar, the time limit a drawer that is stuck."""


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
    assert "the operator should take over" in simulation.control.state.reason.text


def test_the_same_scene_without_the_disturbance_is_solved_without_a_stop(simulation):
    simulation.run()
    assert simulation.robot.success
    assert MonitorVerdict.NORMAL in simulation.levels
    assert MonitorVerdict.STOP not in simulation.levels
    assert not any(s.reason.code == Reason.MONITOR_STOP for s in simulation.control.states)
