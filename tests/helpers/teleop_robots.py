# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Robots to take over, for the tests: the simulated arm with other sources, and one that turns."""

import copy
from typing import Any

import numpy as np
import yaml

from helpers.places import ROOT
from helpers.sawyer import sawyer_values, turning_sawyer
from lbm_policy_node.core.execution.braking import Motion
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.types import Array

SECOND = 1_000_000_000
START = np.array([0.0, 0.6, 0.2, 1.0])
TURNING_START = np.array([0.0, 0.6, 0.2, 0.0, 0.0, 0.0, 1.0, 1.0])
JOY = {
    "name": "gamepad",
    "kind": "joy",
    "topic": "/joy",
    "dead_man": {"button": 4},
    "deadband": 0.1,
    "axes": [{"axis": i, "component": name, "scale": 3.0} for i, name in enumerate("xyz")],
    "buttons": {"gripper_open": 2, "gripper_close": 0},
    "gripper": {"open": -1.0, "close": 1.0},
}
TWIST = {"name": "stick", "kind": "twist", "topic": "/twist", "dead_man": {"topic": "/pedal_twist"}}
POSE = {
    "name": "tracker",
    "kind": "pose",
    "topic": "/tracker",
    "dead_man": {"topic": "/pedal"},
    "max_jump_m": 0.1,
    "max_jump_rad": 0.5,
}


def sawyer(teleop: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the values of the simulated arm's spec with these teleop sources."""
    return {**sawyer_values(), "teleop": copy.deepcopy(teleop)}


def moving_robot(*teleop: dict[str, Any]) -> RobotSpec:
    """Return the simulated arm with these teleop sources; its action is xyz and gripper."""
    return RobotSpec.from_mapping(sawyer(list(teleop)))


def turning_robot(*teleop: dict[str, Any]) -> RobotSpec:
    """Return the same arm with an orientation in its action: xyz, quaternion, gripper."""
    sources = copy.deepcopy(list(teleop))
    return turning_sawyer(teleop=sources, velocity=1.0, acceleration=40.0, start_jump=0.5)


def leading_robot(**changes: object) -> RobotSpec:
    """Return the shipped arm that follows a leader arm, with changes to the leader's entry."""
    text = (ROOT / "config" / "robots" / "so101.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    values["teleop"][0] |= changes
    return RobotSpec.from_mapping(values)


def at_rest(action: Array, time_ns: int = 0, spins: int = 0) -> Motion:
    """Return a motion that stands still at an action; `spins` is its number of orientations."""
    return Motion(time_ns, action, np.zeros_like(action), tuple(np.zeros(3) for _ in range(spins)))
