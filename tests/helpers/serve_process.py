# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm serve` in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from helpers.places import ROOT

END_S = 30.0


class ServeProcess:
    """Starts the command and waits until it serves; kills it, if it is still there, at the end."""

    def __init__(self, checkpoint: Path | str, *arguments: str, port: int = 0, **environment: str) -> None:
        """Start; port 0 takes a free one."""
        self._command = [sys.executable, "-m", "lbm_policy_node.cli.main", "serve", "--threads", "1"]
        self._command += ["--checkpoint", str(checkpoint), *arguments]
        self._environment = {k: v for k, v in os.environ.items() if k != "LBM_API_KEY"}
        self._environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self._environment |= environment
        self.port = port
        self.start()

    def __enter__(self) -> ServeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start again, on the same port."""
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            cwd=ROOT,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("serving on "):
            raise RuntimeError(f"lbm serve said {line!r} {self.end()}")
        self.url = line.removeprefix("serving on ").strip()
        self.port = int(self.url.rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the process without a farewell."""
        self._process.kill()
        self._process.communicate(timeout=END_S)

    def end(self, number: signal.Signals | None = None) -> str:
        """Send a signal, wait for the end, return what it said on stderr."""
        if number is not None and self._process.poll() is None:
            self.signal(number)
        return self._process.communicate(timeout=END_S)[1]

    @property
    def exit_status(self) -> int | None:
        """The exit status, once it has ended."""
        return self._process.returncode
