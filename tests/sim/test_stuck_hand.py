# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A stick at full deflection moves the simulated arm: freely without the leash, and against a box with it."""

import numpy as np
import pytest

from helpers.teleop_loop import SOURCE, SPEC, START_NS
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.takeover.joystick import Joystick
from lbm_policy_node.core.takeover.kinds.joy import read_axes
from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.robot import GRIPPER_OPEN, TICK_NS, Scene, SimulatedRobot
from lbm_policy_node.sim.tasks import task_named

FULL_M_S = 0.4
BEFORE_THE_BOX = np.array([0.0, 0.7, 0.08])
DIRECTIONS = [(1, 0, 0), (0, -1, 0), (0, 0, 1), (1, -1, 1), (-1, 1, -1)]


class Driver:
    """Holds the dead-man switch in front of a scene; the executor's command reaches the arm in that tick."""

    def __init__(self, robot: SimulatedRobot, start: Array) -> None:
        robot.reset(Scene(seed=1))
        robot.place_hand(start)
        self.robot, self.now_ns = robot, START_NS
        self.executor = ChunkExecutor(SPEC)
        self.executor.on_policy_state(PolicyState.IDLE)
        self.executor.takeover.on_dead_man(SOURCE.name, False, START_NS, START_NS)
        self.move_stick(np.zeros(3), START_NS)
        self.command, self.reported = start, ""

    @property
    def lead(self) -> float:
        return float(np.abs(self.command - self.robot.position).max())

    def move_stick(self, direction: Array, now_ns: int) -> None:
        """Report the stick at a share of full speed along each axis."""
        twist = np.concatenate((FULL_M_S * direction, np.zeros(3)))
        axes = Joystick(SOURCE).state(twist, dead_man=True).axes
        self.executor.takeover.on_sample(SOURCE.name, read_axes(SOURCE, axes), now_ns, now_ns)

    def push(self, direction: Array, ticks: int) -> list[float]:
        """Hold the stick; returns how far the command was ahead in each tick, m."""
        leads = []
        for _ in range(ticks):
            self.now_ns += TICK_NS
            self.move_stick(direction, self.now_ns)
            self.executor.takeover.on_dead_man(SOURCE.name, True, self.now_ns, self.now_ns)
            command = self.executor.tick(self.now_ns, np.append(self.robot.position, np.nan))
            assert command.mode is ControlMode.HUMAN and command.action is not None
            self.command, self.reported = command.action[:3], command.reason.text
            leads.append(self.lead)
            self.robot.tick(self.command, GRIPPER_OPEN)
        return leads


@pytest.fixture(scope="module")
def robot(slow):
    robot = SimulatedRobot(task_named("button-press"), height=16, width=16)
    yield robot
    robot.close()


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
def test_in_free_motion_at_full_stick_nothing_is_held_back(robot, direction):
    along = np.array(direction, dtype=np.float64)
    driver = Driver(robot, np.array([0.0, 0.6, 0.25]) - 0.1 * along)
    for way, ticks in ((1.0, 40), (-1.0, 40), (0.0, 40)):
        assert max(driver.push(way * along, ticks)) < 0.1
        assert "held back" not in driver.reported
    assert driver.lead < 0.02


def test_against_a_box_the_target_stays_near_and_the_stick_acts_at_once(robot):
    driver, forward = Driver(robot, BEFORE_THE_BOX), np.array([0.0, 1.0, 0.0])
    leads = driver.push(forward, 200)
    assert max(leads) == pytest.approx(SPEC.limits.leash["y"], abs=0.005)
    assert "gamepad: the hand is 0.15 m behind its target: held back" in driver.reported
    stuck, target = driver.robot.position[1], driver.command[1]
    driver.push(-forward, 1)
    assert target - driver.command[1] == pytest.approx(FULL_M_S * TICK_NS / 1e9)
    driver.push(-forward, 39)  # half a second
    assert driver.robot.position[1] < stuck - 0.01
