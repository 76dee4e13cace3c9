# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Goes back to an earlier moment of an episode, so that the operator can finish it from there."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from lbm_policy_node.core.types import Array
from lbm_policy_node.sim.robot import SimulatedRobot

_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_PLAIN = (np.ndarray, np.generic, float, int, bool, type(None))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment: physics, what an episode moves in the model, the task's own variables, disturbances.

    It belongs to the scene it was taken in: restore it before the robot is reset.
    """

    physics: Array
    model: dict[str, Array]
    task: dict[str, Any]
    robot: dict[str, Any]

    @classmethod
    def take(cls, robot: SimulatedRobot) -> Snapshot:
        """Copy the present moment."""
        environment = robot.environment
        physics = np.empty(mujoco.mj_stateSize(environment.model, _STATE))
        mujoco.mj_getState(environment.model, environment.data, physics, _STATE)
        return cls(
            physics,
            {name: value.copy() for name, value in _model_arrays(environment.model).items()},
            {k: copy.copy(v) for k, v in vars(environment).items() if isinstance(v, _PLAIN)},
            _robot_variables(robot),
        )

    def restore(self, robot: SimulatedRobot) -> None:
        """Bring the robot back to this moment; may be done again and again."""
        environment = robot.environment
        for name, value in _model_arrays(environment.model).items():
            value[...] = self.model[name]
        mujoco.mj_setState(environment.model, environment.data, self.physics, _STATE)
        mujoco.mj_forward(environment.model, environment.data)  # the solver's warm start changes with it
        mujoco.mj_setState(environment.model, environment.data, self.physics, _STATE)
        vars(environment).update({key: copy.copy(value) for key, value in self.task.items()})
        vars(robot).update(copy.deepcopy(self.robot))


def _model_arrays(model: mujoco.MjModel) -> dict[str, Array]:
    """What tasks and disturbances change while an episode runs."""
    names = (
        "body_pos",
        "body_quat",
        "site_pos",
        "geom_pos",
        "geom_friction",
        "dof_damping",
        "dof_frictionloss",
    )
    return {
        name: getattr(model, name) for name in (*names, "actuator_gainprm", "actuator_biasprm", "jnt_range")
    }


def _robot_variables(robot: SimulatedRobot) -> dict[str, Any]:
    names = ("_observation", "success", "reward", "ticks", "perturbations")
    return {name: copy.deepcopy(getattr(robot, name)) for name in names}
