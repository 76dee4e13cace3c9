# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Start the processes of a graph, pass on what they print, notice the first that ends, stop them in order."""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Final

from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.transport import Transport

Sink = Callable[[str, str], None]
"""Takes the name of a process and one line of its output; called from several threads."""

STOP_STEPS: Final = ((signal.SIGINT, 6.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0))
"""Signals in order, and the time to end after each, s."""

LOOK_S: Final = 0.5
"""A signal that comes just before a wait begins does not end the wait; Python looks at it afterwards."""

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True)
class Exit:
    """A process that ended: its exit status, negative for a signal."""

    name: str
    status: int

    @property
    def exit_code(self) -> int:
        """What a supervisor returns for it: never 0, because nothing in a graph ends by itself."""
        return 128 - self.status if self.status < 0 else self.status or 1

    def __str__(self) -> str:
        if self.status < 0:
            return f"{self.name} was killed by {signal.Signals(-self.status).name}"
        return f"{self.name} ended with exit code {self.status}"


class Supervisor:
    """Runs processes between ``start`` and ``stop``; as a context manager it stops them whatever happens."""

    def __init__(self, processes: Sequence[NodeProcess], *, transport: Transport, sink: Sink) -> None:
        self._descriptions, self._transport, self._sink = tuple(processes), transport, sink
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._pumps: dict[str, threading.Thread] = {}
        self._exits: queue.SimpleQueue[Exit] = queue.SimpleQueue()

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every process, in order. Call from the main thread: the processes end when it does."""
        for description in self._descriptions:
            process = subprocess.Popen(
                [sys.executable, "-m", description.module, *description.arguments],
                env=self._environment(description),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C reaches them through stop(), in order
                preexec_fn=_end_with_parent,
            )
            self._running[description.name] = process
            assert process.stdout is not None
            self._pumps[description.name] = _thread(self._pump, description.name, process.stdout)
            _thread(self._wait, description.name, process)

    def first_exit(self, timeout_s: float | None = None) -> Exit | None:
        """Wait for a process to end; None when none did in time (0 only looks)."""
        while True:
            try:
                return self._exits.get(
                    block=timeout_s != 0.0, timeout=LOOK_S if timeout_s is None else timeout_s
                )
            except queue.Empty:
                if timeout_s is not None:
                    return None

    def process_id(self, name: str) -> int:
        """Return the process id of a process."""
        return self._running[name].pid

    def stop(self) -> None:
        """End the processes in reverse order, each with SIGINT, then SIGTERM, then SIGKILL."""
        for name, process in reversed(self._running.items()):
            self._stop_one(name, process)
            self._pumps[name].join(timeout=2.0)  # its last lines; longer only if a grandchild holds the pipe
        self._running.clear()

    def _stop_one(self, name: str, process: subprocess.Popen[str]) -> None:
        for number, patience_s in STOP_STEPS:
            if process.poll() is not None:
                return
            process.send_signal(number)
            try:
                process.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._sink(name, f"did not end within {patience_s:g} s of {number.name}")

    def _environment(self, description: NodeProcess) -> dict[str, str]:
        return {**self._transport.applied_to(os.environ), "PYTHONUNBUFFERED": "1", **description.environment}

    def _pump(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._sink(name, line.rstrip("\n"))

    def _wait(self, name: str, process: subprocess.Popen[str]) -> None:
        self._exits.put(Exit(name, process.wait()))


def _thread(target: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def _end_with_parent() -> None:
    """Ask Linux to terminate this process when its parent dies, even by SIGKILL."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
