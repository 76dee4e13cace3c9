# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor with real child processes: failures, order of stopping, stubborn children, orphans."""

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lbm_policy_node.graph import supervisor as supervisor_module
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.supervisor import Supervisor
from lbm_policy_node.graph.transport import Transport

STEADY = """
import signal, sys
def leave(number, frame):
    print("left by", signal.Signals(number).name); sys.exit(0)
signal.signal(signal.SIGINT, leave); signal.signal(signal.SIGTERM, leave)
print("ready")
while True: signal.pause()
"""
FAILING = "import sys; print('no such camera'); sys.exit(7)"
STUBBORN = """
import signal
for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)
print("ready")
while True: signal.pause()
"""


class Lines:
    """Collects output, and waits for a line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._changed = threading.Condition()

    def __call__(self, name: str, line: str) -> None:
        with self._changed:
            self.lines.append((name, line))
            self._changed.notify_all()

    def wait_for(self, name: str, line: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: (name, line) in self.lines, timeout=20), self.lines


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make process descriptions from Python sources."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def make(**sources: str) -> list[NodeProcess]:
        for name, source in sources.items():
            (tmp_path / f"child_{name}.py").write_text(source)
        return [NodeProcess(name=name, module=f"child_{name}") for name in sources]

    return make


def test_failure_of_a_child_is_returned_and_the_rest_is_stopped(processes) -> None:
    lines = Lines()
    descriptions = processes(robot=STEADY, policy=FAILING)
    with Supervisor(descriptions, transport=Transport("default"), sink=lines) as supervisor:
        lines.wait_for("robot", "ready")
        ended = supervisor.first_exit(timeout_s=20)
        assert ended is not None and (ended.name, ended.status, ended.exit_code) == ("policy", 7, 7)
    assert ("policy", "no such camera") in lines.lines
    assert lines.lines[-1] == ("robot", "left by SIGINT")


def test_children_are_stopped_in_reverse_order(processes) -> None:
    lines = Lines()
    descriptions = processes(robot=STEADY, executor=STEADY, policy=STEADY)
    with Supervisor(descriptions, transport=Transport("default"), sink=lines):
        for description in descriptions:
            lines.wait_for(description.name, "ready")
    left = [name for name, line in lines.lines if line.startswith("left by")]
    assert sorted(left) == ["executor", "policy", "robot"]
    assert left[0] == "policy" and left[-1] == "robot"


def test_child_that_ignores_signals_is_killed(processes, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = tuple((number, min(patience_s, 0.3)) for number, patience_s in supervisor_module.STOP_STEPS[:2])
    monkeypatch.setattr(supervisor_module, "STOP_STEPS", (*steps, (signal.SIGKILL, 5.0)))
    lines = Lines()
    with Supervisor(processes(robot=STUBBORN), transport=Transport("default"), sink=lines) as supervisor:
        lines.wait_for("robot", "ready")
        pid = supervisor.process_id("robot")
    assert not Path(f"/proc/{pid}").exists()
    ended = supervisor.first_exit(timeout_s=5)
    assert ended is not None and ended.exit_code == 128 + signal.SIGKILL


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path, processes) -> None:
    processes(robot=STEADY)
    script = (
        "from lbm_policy_node.graph.nodes import NodeProcess\n"
        "from lbm_policy_node.graph.supervisor import Supervisor\n"
        "from lbm_policy_node.graph.transport import Transport\n"
        "with Supervisor([NodeProcess(name='robot', module='child_robot')], transport=Transport('default'),\n"
        "                sink=lambda name, line: print(line, flush=True)) as supervisor:\n"
        "    print(supervisor.process_id('robot'), flush=True)\n"
        "    supervisor.first_exit()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid_line, ready = parent.stdout.readline(), parent.stdout.readline()
    assert ready == "ready\n"
    child = os.pidfd_open(int(pid_line))
    parent.kill()
    parent.wait()
    readable, _, _ = select.select([child], [], [], 10)  # readable once the process is gone
    os.close(child)
    assert readable
