# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripted operator at a simulated robot in one process: its joystick, read, taken over, ticked."""

import numpy as np

from lbm_policy_node.core.execution.arbitration import ControlMode
from lbm_policy_node.core.execution.braking import motion_between
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.takeover.joy_buttons import read_buttons
from lbm_policy_node.core.takeover.joystick import Joystick, joy_source
from lbm_policy_node.core.takeover.kinds.joy import JoySample, read_axes
from lbm_policy_node.core.takeover.takeover import Takeover
from lbm_policy_node.core.types import Array
from lbm_policy_node.paths import shared_path
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.operator.operator_settings import OperatorSettings
from lbm_policy_node.sim.operator.scripted_operator import Phase, ScriptedOperator
from lbm_policy_node.sim.robot import GRIPPER_OPEN, MAX_STEP_M, TICK_NS, Scene, SimulatedRobot

SPEC = RobotSpec.load(shared_path("config/robots/metaworld.yaml"))
SOURCE = joy_source(SPEC)
START_NS = 100_000_000_000


def stall_half_way(robot: SimulatedRobot, rng: np.random.Generator) -> float:
    """Let the expert do some of the task, then push the hand aside; returns the gripper command."""
    expert, gripper = ScriptedExpert(robot.task), GRIPPER_OPEN
    for _ in range(int(rng.integers(20, 120))):
        delta, gripper = expert.act(robot)
        robot.tick(robot.commanded_position + delta * MAX_STEP_M, gripper)
        if robot.success:
            break
    aside = robot.commanded_position + rng.uniform(-0.06, 0.06, 3)
    for _ in range(30):
        robot.tick(aside, gripper)
    return gripper


class TeleopLoop:
    """A robot that stands still until the operator takes it."""

    def __init__(self, robot: SimulatedRobot, *, seed: int, half_way: bool) -> None:
        """Lay out the scene, and ask the operator to take over."""
        robot.reset(Scene(seed=seed))
        gripper = stall_half_way(robot, np.random.default_rng(seed)) if half_way else GRIPPER_OPEN
        self.robot, self.now_ns, self.worst = robot, START_NS, 0.0
        self.operator = ScriptedOperator(OperatorSettings(seed=seed), Joystick(SOURCE))
        self.operator.on_task(robot.task.name)
        self.operator.on_request(True)
        self._limits = ActionLimits(SPEC)
        self._takeover = Takeover(SPEC, self._limits)
        self._action = np.append(robot.commanded_position, gripper)
        self._motion = motion_between(self._limits, START_NS, self._action, START_NS, self._action)
        self._driving = False

    def run(self, limit_s: float = 15.0) -> bool:
        """Return whether the operator solved the task, let go, and says so."""
        while self.now_ns < START_NS + limit_s * 1e9:
            self._tick()
            if self.operator.phase is Phase.REPORTING:
                return self.robot.success
        return False

    def _tick(self) -> None:
        self.now_ns += TICK_NS
        self._play()
        turn = self._takeover.tick(self.now_ns, self._motion, np.append(self.robot.position, np.nan))
        self._driving = bool(turn.source)
        self._command(self._action if turn.action is None else turn.action)

    def _play(self) -> None:
        """Let the operator look, and the takeover take what it does."""
        robot, now_ns, name = self.robot, self.now_ns, SOURCE.name
        self.operator.on_observation(robot.privileged_observation, now_ns)
        self.operator.on_success(robot.success)
        mode = ControlMode.HUMAN if self._driving else ControlMode.HOLD
        self.operator.on_control(mode, ReasonCode.OK, now_ns)
        joy = self.operator.tick(now_ns)
        stick, pressed = read_axes(SOURCE, joy.axes), read_buttons(SOURCE.buttons, joy.buttons, SOURCE.topic)
        assert isinstance(stick, JoySample) and isinstance(pressed, frozenset)
        assert self._takeover.on_sample(name, stick, now_ns, now_ns) is None
        self._takeover.on_dead_man(name, bool(joy.buttons[SOURCE.dead_man.button or 0]), now_ns, now_ns)
        self._takeover.on_buttons(name, pressed)

    def _command(self, action: Array) -> None:
        """Carry out a command, and note how near to the speed limit it came (1 is the limit)."""
        step = np.abs(action - self._action)[self._limits.moving]
        self.worst = max(self.worst, float((step / (self._limits.velocity * TICK_NS / 1e9)).max()))
        before = self._motion
        self._motion = motion_between(self._limits, before.time_ns, self._action, self.now_ns, action)
        self._action = action
        self.robot.tick(action[:3], float(action[3]))
