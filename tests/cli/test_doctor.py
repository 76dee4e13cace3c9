# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The doctor on this machine, and beside a running simulated robot."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from helpers.places import ROOT
from lbm_policy_node.cli import doctor
from lbm_policy_node.doctor.doctor_robot import check_robot
from lbm_policy_node.doctor.stream_health import Level
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.ros_domain import free_domain
from lbm_policy_node.graph.supervisor import Supervisor

SPEC = ROOT / "config/robots/metaworld.yaml"


@pytest.fixture
def domain(slow: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with free_domain() as domain:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
        yield domain


def run(*arguments: str) -> tuple[Result, dict[str, Any]]:
    """Run the command and return its checks by name."""
    result = CliRunner().invoke(doctor.command, ["--json", *arguments])
    return result, {check["name"]: check for check in json.loads(result.stdout)}


def wait_for_pictures(chosen: transport.Transport, looks: int = 40) -> None:
    """Wait until the robot has started, however long that takes on a busy machine."""
    for _ in range(looks):
        checks = {check.name: check for check in check_robot("metaworld", chosen, 0.3)}
        if checks["stream wrist"].values.get("messages"):
            return
    pytest.fail(f"no picture came: {checks['stream wrist'].text}")


def test_running_robot_is_healthy_and_its_figures_are_reported(domain: int) -> None:
    chosen = transport.choose("mixed")
    robot = NodeProcess(name="sim_robot_node", module="lbm_policy_node.ros.sim.sim_robot_node")
    with Supervisor([robot], transport=chosen, sink=lambda name, line: None):
        wait_for_pictures(chosen)
        result, checks = run("--robot", "metaworld", "--transport", "mixed")
    assert result.exit_code == 0, result.stdout
    assert checks["ROS 2"]["level"] == checks["EGL rendering"]["level"] == "ok"
    for name in ("front", "wrist", "joints", "ee_pose"):
        assert checks[f"stream {name}"]["level"] in ("ok", "warning"), checks
        assert checks[f"stream {name}"]["values"]["messages"] > 10
    assert checks["skew"]["level"] == "ok"


def test_absent_robot_and_broken_spec_exit_with_one_and_say_what_to_do(domain: int, tmp_path: Path) -> None:
    result, checks = run("--robot", str(SPEC), "--duration", "0.5")
    assert result.exit_code == 1
    assert (
        "no publisher of /joint_states" in checks["stream joints"]["text"]
        and checks["stream joints"]["advice"]
    )
    broken = tmp_path / "broken.yaml"
    broken.write_text(SPEC.read_text().replace("step_s:", "stepp_s:"))
    chosen = transport.choose("mixed")
    (finding,) = check_robot(str(broken), chosen, 0.5)
    assert finding.level is Level.FAILURE and "broken.yaml" in finding.text and "step_s" in finding.text
