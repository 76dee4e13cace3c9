# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bringup` as a program: what it prints, what it returns, and that it takes its children with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lbm_policy_node.cli.bringup import command, supervise
from lbm_policy_node.graph.bringup import Graph
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.transport import Transport

CHILD = "import signal, time\nprint('ready', flush=True)\nsignal.pause()\n"
PROGRAM = """
from lbm_policy_node.cli.bringup import supervise
from lbm_policy_node.graph.bringup import Graph
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.transport import Transport
processes = (NodeProcess(name="robot", module="lasting"), NodeProcess(name="policy", module="lasting"))
raise SystemExit(supervise(Graph(processes=processes, transport=Transport("default"), messages=())))
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lasting.py").write_text(CHILD)
    (tmp_path / "failing.py").write_text("raise SystemExit(5)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


def test_failure_of_a_node_is_the_exit_code_and_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    processes = (NodeProcess(name="robot", module="lasting"), NodeProcess(name="policy", module="failing"))
    try:
        code = supervise(Graph(processes=processes, transport=Transport("default"), messages=()))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == 5
    assert "policy ended with exit code 5; stopping the others" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_every_node_and_returns_success(number: signal.Signals) -> None:
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert sorted(program.stdout.readline() for _ in range(2)) == ["policy | ready\n", "robot  | ready\n"]
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    assert len(children) == 2
    program.send_signal(number)
    program.communicate(timeout=30)
    assert program.returncode == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--robot", "toaster", "--checkpoint", "."], "metaworld.yaml"),
        (["--robot", "metaworld", "--checkpoint", "/nowhere"], "'/nowhere' is neither a folder"),
        (["--robot", "metaworld", "--checkpoint", ".", "--transport", "udp"], "large_data"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_starts(arguments: list[str], text: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code != 0 and text in result.output
