# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The spec of the simulated arm, frozen for the tests of core: as shipped, but with tight limits."""

from typing import Any

import yaml

from helpers.places import ASSETS
from lbm_policy_node.core.spec.robot_spec import RobotSpec

SAWYER_FILE = ASSETS / "robots" / "sawyer.yaml"
SAWYER = RobotSpec.load(SAWYER_FILE)


def sawyer_values() -> dict[str, Any]:
    """Return what the file holds, for a test that changes it."""
    return yaml.safe_load(SAWYER_FILE.read_text(encoding="utf-8"))


def turning_sawyer(*, teleop: list[dict[str, Any]] | None = None, **rotation: float) -> RobotSpec:
    """Return the same arm with an orientation in its action: xyz, quaternion, gripper.

    Args:
        teleop: Its teleop sources, in place of those of the file.
        **rotation: Its limits of rotation, rad and s: velocity, acceleration and start_jump.
    """
    values = sawyer_values()
    block = values["action"]["blocks"][0]
    fields = ["x", "y", "z", "qx", "qy", "qz", "qw"]
    block |= {"kind": "ee_pose", "names": fields}
    block["feedback"]["fields"] = fields
    del block["output"]["orientation"]
    values["limits"]["rotation"] = rotation
    if teleop is not None:
        values["teleop"] = teleop
    return RobotSpec.from_mapping(values)
