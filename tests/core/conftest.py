# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot's spec, for every test of core."""

import sys
from pathlib import Path

import pytest

from lbm_policy_node.core.robot_spec import RobotSpec

sys.path.insert(0, str(Path(__file__).parent))  # for the helper module beside this file


@pytest.fixture(scope="session")
def spec() -> RobotSpec:
    return RobotSpec.load(Path(__file__).parents[2] / "tests" / "assets" / "robots" / "sawyer.yaml")
