# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot that does not follow the policy is not left behind: HOLD, and on from where it is."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.builders import make_chunk
from helpers.examples import examples
from lbm_policy_node.core.execution.arbitration import ControlMode, PolicyState
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.execution.command import Command
from lbm_policy_node.core.execution.executor_config import ChunkExecutorConfig
from lbm_policy_node.core.execution.following import LAG_NS
from lbm_policy_node.core.reasons import ReasonCode
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

MS = 1_000_000
TICK_MS = 10
HOME = np.array([0.0, 0.6, 0.2, np.nan])

Robot = Callable[[list[Command]], Array]
"""Where the robot is measured after some commands."""


def stopped(commands: list[Command]) -> Array:
    return HOME


def lagging(ticks: int) -> Robot:
    def at(commands: list[Command]) -> Array:
        past = [c.action for c in commands[: len(commands) - ticks] if c.action is not None]
        return np.where(np.isnan(HOME), np.nan, past[-1]) if past else HOME

    return at


def run(
    spec: RobotSpec, robot: Robot, speed: float, *, until_ms: int = 2_000, shadow: bool = False
) -> list[Command]:
    """A policy that goes on along x from where the robot is measured, with a chunk each 0.2 s."""
    executor = ChunkExecutor(spec, control_enabled=not shadow)
    executor.on_policy_state(PolicyState.RUNNING)
    commands: list[Command] = []
    for now_ms in range(0, until_ms, TICK_MS):
        measured = robot(commands)
        if now_ms % 200 == 0:
            at = commands[-1].action if commands and commands[-1].mode is ControlMode.POLICY else measured
            x = measured[0] if at is None else at[0]
            rows = [[min(x + speed * 0.05 * (i + 1), 0.55), 0.6, 0.2, 0.0] for i in range(16)]
            executor.on_chunk(
                make_chunk(chunk_id=1 + now_ms, observation_stamp_ns=now_ms * MS, actions=rows), now_ms * MS
            )
        commands.append(executor.tick(now_ms * MS, measured))
    return commands


def lead(command: Command) -> float:
    return 0.0 if command.action is None else abs(float(command.action[0] - HOME[0]))


def bound(spec: RobotSpec, speed: float) -> float:
    """The reach; at a high speed half of it and what the allowed lag and the stop make of the speed."""
    reach = max(spec.limits.leash["x"], spec.limits.start_jump["x"])
    return (
        max(reach, reach / 2 + speed * (LAG_NS / 1e9 + ChunkExecutorConfig().stop_s / 2 + 2 * TICK_MS / 1e3))
        + 1e-9
    )


@pytest.mark.parametrize("speed", [0.1, 0.2, 0.4])
def test_a_robot_that_stopped_by_itself_leads_to_hold_within_bounds(spec: RobotSpec, speed: float):
    commands = run(spec, stopped, speed)
    held = next(c for c in commands if c.mode is ControlMode.HOLD)
    assert held.reason.code == ReasonCode.ROBOT_NOT_FOLLOWING
    assert "x is 0." in held.reason.text and " m behind its command" in held.reason.text
    assert max(lead(c) for c in commands) <= bound(spec, speed)


def test_after_a_stop_the_policy_goes_on_from_where_the_robot_is(spec: RobotSpec):
    commands = run(spec, stopped, 0.4)
    modes = [c.mode for c in commands]
    held = modes.index(ControlMode.HOLD)
    again = modes.index(ControlMode.POLICY, held)
    assert lead(commands[again]) <= 0.4 * TICK_MS / 1_000


@pytest.mark.parametrize("lag_ticks", [1, 5, 15])
def test_the_lag_of_a_controller_is_no_fault_at_any_speed(spec: RobotSpec, lag_ticks: int):
    commands = run(spec, lagging(lag_ticks), 0.99 * spec.limits.velocity["x"], until_ms=600)
    assert all(c.mode is ControlMode.POLICY for c in commands)


def test_in_shadow_the_robot_need_not_follow(spec: RobotSpec):
    commands = run(spec, stopped, 0.4, shadow=True)
    assert all(c.reason.code != ReasonCode.ROBOT_NOT_FOLLOWING for c in commands)


@given(speed=st.floats(0.05, 0.45), stops_at=st.integers(0, 150))
@examples(25)
def test_wherever_the_robot_stops_the_command_stays_within_bounds(
    spec: RobotSpec, speed: float, stops_at: int
):
    follow = lagging(2)

    def robot(commands: list[Command]) -> Array:
        return follow(commands[: stops_at + 1])

    commands = run(spec, robot, speed)
    stands = robot(commands)[0]
    leads = [abs(float(c.action[0] - stands)) for c in commands[stops_at:] if c.action is not None]
    assert max(leads, default=0.0) <= bound(spec, speed)
