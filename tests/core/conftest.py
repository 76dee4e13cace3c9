# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot's spec, for every test of core."""

import pytest

from helpers.sawyer import SAWYER
from lbm_policy_node.core.spec.robot_spec import RobotSpec


@pytest.fixture(scope="session")
def spec() -> RobotSpec:
    return SAWYER
