# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""For every test: what counts as slow, and how property tests are judged.

A fast run is `pytest -m "not slow"` (`make test-fast`): no DDS, no renderer, no long test. A test is slow
when it is marked so, or when one of its fixtures uses the fixture `slow`. A fast run cannot start what it
leaves out: `forbid_ros_and_rendering` makes any attempt an error, in child processes too.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from lbm_policy_node.graph import ros_domain

# Properties decide, and not how busy the machine is.
settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare a fast run: fewer examples for each property, and the guard."""
    if "not slow" in config.option.markexpr:
        settings.load_profile("fast")
        forbid_ros_and_rendering()


def forbid_ros_and_rendering() -> None:
    """Make rclpy.init, claiming a ROS domain and mujoco.Renderer fail in this process and its children."""
    os.environ["ROS_DOMAIN_ID"] = "mark this test slow"  # rcl demands a number
    ros_domain.LAST_DOMAIN = 0  # there is no domain to claim
    os.environ["MUJOCO_GL"] = "disabled"  # mujoco then has no class for a graphics context


@pytest.fixture(scope="session")
def slow() -> None:
    """Mark every test that uses this fixture, itself or through another fixture, as slow."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the fixture `slow`, before `-m` selects."""
    for item in items:
        if "slow" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
