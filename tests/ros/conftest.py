# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A ROS domain of its own for each test run, so that runs side by side and a robot on the desk never meet."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown

from lbm_policy_node.graph.ros_domain import free_domain


@pytest.fixture(scope="session")
def ros_domain(slow: None) -> Iterator[int]:
    """Claim a free domain for this run and its child processes."""
    with free_domain() as domain:
        os.environ["ROS_DOMAIN_ID"] = str(domain)
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        gc.freeze()  # what is imported by now stays: collecting after each test has little to look at
        yield domain


@pytest.fixture
def ros(ros_domain: int) -> Iterator[None]:
    """Start rclpy in this process for one test."""
    assert not participants(), "nodes of an earlier test are still in the network: something holds them"
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    yield
    try_shutdown()


def pytest_runtest_logfinish() -> None:
    """Take a test's nodes off the network once nobody holds its fixtures any more.

    rclpy's objects refer to each other in circles. Until they are collected the nodes go on to be discovered
    and to receive, and the participants that one machine may have, 32 with the settings above, run out.
    """
    if participants():
        gc.collect()


def participants() -> int:
    """Return how many DDS participants this process has: each has a thread of its own for events."""
    threads = Path("/proc/self/task").glob("*/comm")
    return sum(comm.read_text().startswith("dds.ev.") for comm in threads)


@pytest.fixture
def graph(ros: None) -> Iterator[Any]:
    """A fake robot and the executor that spins it; nodes of a test are added to it and leave with it."""
    from helpers.fake_robot import FakeRobot
    from helpers.ros_graph import Graph

    graph = Graph(FakeRobot())
    yield graph
    graph.close()


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    """The fake robot's spec."""
    from helpers.fake_robot import SPEC

    path = tmp_path / "fake.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The calibration file of the policy that monitor_harness plays."""
    from helpers.monitor_harness import calibrate_monitor

    return calibrate_monitor(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def monitor_user(graph: Any, spec_file: Path, calibration: Path) -> Any:
    """A monitor node with that calibration, and who plays the policy."""
    from helpers.monitor_harness import MonitorUser, add_monitor_node

    add_monitor_node(graph, spec_file, checkpoint=str(calibration.parent))
    return MonitorUser(graph)
