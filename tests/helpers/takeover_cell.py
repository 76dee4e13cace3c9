# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A chunk executor, a robot that follows every command at once, and an operator with a stick."""

from typing import Any

import numpy as np

from helpers.builders import STEP_NS, make_chunk
from helpers.teleop_robots import TWIST, moving_robot
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig
from lbm_policy_node.core.execution.limits import ActionLimits
from lbm_policy_node.core.reasons import Reason
from lbm_policy_node.core.takeover.kinds.twist import TwistSample
from lbm_policy_node.core.types import Array

MS = 1_000_000
TICK_NS = 10 * MS
HOME = np.array([0.0, 0.6, 0.2, np.nan])
STICK = {
    **TWIST,
    "dead_man": {"topic": "/joy", "button": 4},
    "buttons": {"gripper_open": 2, "gripper_close": 0},
    "gripper": {"open": -1.0, "close": 1.0},
}
ROBOT = moving_robot(STICK)


class Cell:
    """Ticks, and checks in each tick that no command lies further off than the speed limit allows."""

    def __init__(self, spec: Any = ROBOT, *, control_enabled: bool = True, **config: Any) -> None:
        """Start at HOME with a policy that runs."""
        settings = ChunkExecutorConfig(**config)
        self.executor = ChunkExecutor(spec, settings, control_enabled=control_enabled)
        self.executor.on_policy_state(PolicyState.RUNNING)
        self.limits = ActionLimits(spec)
        self.now_ns = 1_000 * MS
        self.position: Array = HOME.copy()
        self.commands: list[Command] = []
        self.chunk_id = 0
        self.control_enabled = control_enabled
        self.lag: Array = np.zeros(4)

    @property
    def last(self) -> Command:
        """The newest command."""
        return self.commands[-1]

    @property
    def mode(self) -> ControlMode:
        """Who drives."""
        return self.executor.mode

    def stick(self, pressed: bool, x: float = 0.0, name: str = "stick") -> None:
        """Send the dead-man switch and a twist of now."""
        takeover, linear = self.executor.takeover, np.array([x, 0.0, 0.0])
        takeover.on_sample(name, TwistSample(linear, np.zeros(3), "base"), self.now_ns, self.now_ns)
        takeover.on_dead_man(name, pressed, self.now_ns, self.now_ns)

    def chunk(self, speed: float = 0.2, rows: int = 30, **changes: Any) -> Reason | None:
        """Send a chunk that moves along x from where the robot is."""
        self.chunk_id += 1
        actions = np.tile([*self.position[:3], 1.0], (rows, 1))
        actions[:, 0] += speed * STEP_NS * 1e-9 * (1 + np.arange(rows))
        actions[:, 0] = np.clip(actions[:, 0], -0.5, 0.5)
        values = {
            "chunk_id": self.chunk_id,
            "observation_stamp_ns": self.now_ns,
            "actions": actions,
        }
        return self.executor.on_chunk(make_chunk(**(values | changes)), self.now_ns)

    def tick(self, step_ns: int = TICK_NS) -> Command:
        """Advance the clock and take a command."""
        before = self.commands[-1].action if self.commands else None
        start = self.position if before is None else before
        self.now_ns += step_ns
        command = self.executor.tick(self.now_ns, self.position - self.lag)
        self.commands.append(command)
        if command.action is not None and self.control_enabled:
            reach = self.limits.velocity * step_ns / 1e9 * (1 + 1e-9) + 1e-12
            step = np.abs(command.action - start)[self.limits.moving]
            assert (step <= reach).all(), f"{command.mode.name}: {step} in {step_ns / 1e9} s"
            self.position = np.where(np.isnan(HOME), np.nan, command.action)
        return command

    def ticks(self, count: int, *, pressed: bool | None = None, x: float = 0.0) -> Command:
        """Tick so often, with the stick held, let go, or silent."""
        for _ in range(count):
            if pressed is not None:
                self.stick(pressed, x)
            self.tick()
        return self.last

    def drive(self) -> None:
        """Let the policy drive."""
        self.ticks(2, pressed=False)
        assert self.chunk(0.4) is None
        self.ticks(10, pressed=False)
        assert self.mode is ControlMode.POLICY, self.last.reason
