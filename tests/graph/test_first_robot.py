# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The walk of docs/first-robot.md with its files: nothing moves in shadow mode, the arm does with control."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpers.places import ROOT
from lbm_policy_node.cli.info import command as info
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.ros_domain import free_domain

WALK = ROOT / "docs" / "first-robot"
LBM = ("-m", "lbm_policy_node.cli.main")
MOVED = "the first command has arrived"


@pytest.fixture(name="environment")
def _environment(slow: None) -> Iterator[dict[str, str]]:
    """Variables for a graph that only this machine sees."""
    with free_domain() as domain:
        ours = transport.choose("mixed").applied_to(os.environ)
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        range_ = {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
        yield {**ours, **range_, "PYTHONPATH": paths}


@contextmanager
def started(arguments: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A program that is interrupted as by Ctrl-C at the end."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=WALK, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def run_policy(environment: dict[str, str]) -> str:
    """What the client prints in the first run in which all nodes have found each other, at most the fifth."""
    printed = ""
    for _ in range(5):
        printed = run_once(environment)
        if "POLICY  chunk" in printed:
            break
    return printed


def run_once(environment: dict[str, str]) -> str:
    """What the client of the walk prints in one run."""
    done = subprocess.run(
        [sys.executable, "run_policy.py", "sway", "--time-limit-s", "2"],
        cwd=WALK, env=environment, capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return done.stdout


def test_the_checkpoint_of_the_walk_fits_its_arm() -> None:
    result = CliRunner().invoke(info, [str(WALK / "sway"), "--robot", str(WALK / "arm6.yaml")])
    assert result.exit_code == 0 and "fits the robot arm6" in result.output


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("flag", "moves"), [("--shadow", False), ("--enable-control", True)])
def test_the_arm_gets_commands_only_with_control(
    environment: dict[str, str], tmp_path: Path, flag: str, moves: bool
) -> None:
    graph = (*LBM, "bringup", "--robot", "arm6.yaml", "--checkpoint", "sway", flag)
    arm = started(["pretend_arm.py"], environment, tmp_path / "arm.log")
    with arm, started(graph, environment, tmp_path / "graph.log"):
        printed = run_policy(environment)
    assert "ended: " in printed, (tmp_path / "graph.log").read_text()
    assert "POLICY  chunk" in printed, printed
    assert (MOVED in (tmp_path / "arm.log").read_text()) == moves
