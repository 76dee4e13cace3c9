# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with this machine is said with its cause."""

import os
from pathlib import Path

from lbm_policy_node.doctor.doctor_machine import check_ros, check_transport
from lbm_policy_node.doctor.stream_health import Level
from lbm_policy_node.graph import transport


def test_unusable_ros_is_a_failure_with_its_cause(tmp_path: Path) -> None:
    package = tmp_path / "rclpy"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('no librcl.so here')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    check = check_ros(environment)
    assert check.level is Level.FAILURE and "no librcl.so here" in check.text and "make" in check.advice


def test_settings_that_void_the_transport_are_named() -> None:
    chosen = transport.choose("large_data")
    environment = {**chosen.environment, "ROS_LOCALHOST_ONLY": "1"}
    check = check_transport(chosen, environment)
    assert check.level is Level.WARNING and "ROS_LOCALHOST_ONLY" in check.text
