# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A ROS domain of its own for each test run, so that runs side by side and a robot on the desk never meet."""

import fcntl
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the helper modules beside this file

import rclpy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown

LAST_DOMAIN = 101  # higher ones overlap the ports that Linux hands out


def _claim(domain: int) -> IO[str] | None:
    """Lock a domain against other runs of these tests; None when one has it or anybody else is in it."""
    lock = (Path(tempfile.gettempdir()) / f"lbm_policy_ros_domain_{domain}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 7400 + 250 * domain + 10))  # unicast discovery port of the first participant
    except OSError:
        lock.close()
        return None
    return lock


@pytest.fixture(scope="session")
def ros_domain() -> Iterator[int]:
    """Claim a free domain for this run and its child processes."""
    for offset in range(LAST_DOMAIN):
        domain = 1 + (os.getpid() + offset) % LAST_DOMAIN
        lock = _claim(domain)
        if lock is not None:
            os.environ["ROS_DOMAIN_ID"] = str(domain)
            os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
            yield domain
            lock.close()
            return
    raise RuntimeError(f"no free ROS domain from 1 to {LAST_DOMAIN}")


@pytest.fixture
def ros(ros_domain: int) -> Iterator[None]:
    """Start rclpy in this process for one test."""
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    yield
    try_shutdown()


@pytest.fixture
def graph(ros: None) -> Iterator[Any]:
    """A fake robot and the executor that spins it; nodes of a test are added to it and leave with it."""
    from fake_robot import FakeRobot
    from ros_graph import Graph

    graph = Graph(FakeRobot())
    yield graph
    graph.close()


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    """The fake robot's spec."""
    from fake_robot import SPEC

    path = tmp_path / "fake.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path
