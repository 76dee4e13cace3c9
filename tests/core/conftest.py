# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot's spec, for every test of core."""

from pathlib import Path

import pytest

from lbm_policy_node.core.robot_spec import RobotSpec


@pytest.fixture(scope="session")
def spec() -> RobotSpec:
    return RobotSpec.load(Path(__file__).parents[2] / "tests" / "assets" / "robots" / "sawyer.yaml")
