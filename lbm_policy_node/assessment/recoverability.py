# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether an episode could still be saved at each moment: the scripted expert tries to finish from there."""

from __future__ import annotations

from collections.abc import Sequence

from lbm_policy_node.sim.demonstrations import TICKS_PER_STEP
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.robot import MAX_STEP_M, SimulatedRobot
from lbm_policy_node.sim.snapshot import Snapshot


def expert_steps(robot: SimulatedRobot, snapshots: Sequence[Snapshot], *, limit: int) -> tuple[int, ...]:
    """Return for each snapshot how many policy steps the expert needs to finish from it; -1: it fails.

    The disturbance of the episode stays in force, so that a welded drawer stays welded for the expert too.

    Args:
        robot: In the scene that the snapshots belong to; it is somewhere else afterwards.
        snapshots: In time order.
        limit: Policy steps that the expert has.
    """
    expert = ScriptedExpert(robot.task)
    return tuple(_finish(robot, expert, snapshot, limit) for snapshot in snapshots)


def _finish(robot: SimulatedRobot, expert: ScriptedExpert, snapshot: Snapshot, limit: int) -> int:
    snapshot.restore(robot)
    for tick in range(limit * TICKS_PER_STEP):
        delta, gripper = expert.act(robot)
        robot.tick(robot.commanded_position + delta * MAX_STEP_M, gripper)
        if robot.success:
            return tick // TICKS_PER_STEP + 1
    return -1
