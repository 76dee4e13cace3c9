# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from helpers.places import ROOT
from lbm_policy_node.graph.nodes import NODE_MODULES

END_S = 30.0
MORTAL = {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
"""No shared memory: what a killed process leaves there disturbs the discovery of those that come after it."""


class NodeProcess:
    """Starts a node by its name and kills it, if it is still there, at the end."""

    def __init__(self, name: str, log: Path, **parameters: Any) -> None:
        """Start; what it prints goes to the log."""
        self._log = log
        arguments = [f"{key}:={str(v).lower() if v in (True, False) else v}" for key, v in parameters.items()]
        command = [sys.executable, "-m", NODE_MODULES[name], "--ros-args"]
        for argument in arguments:
            command += ["-p", argument]
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | MORTAL
        with log.open("w") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, cwd=ROOT)

    def __enter__(self) -> "NodeProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(END_S)

    def end(self, number: signal.Signals | None = None) -> int:
        """Send a signal, wait for the end, return the exit status."""
        if number is not None:
            self._process.send_signal(number)
        return self._process.wait(END_S)

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8")
