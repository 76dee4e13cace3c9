# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the measurements of `lbm bench`, each with its own processes in a ROS domain of its own."""

import json
import os
import queue
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lbm_policy_node.bench.bench_setup import write_checkpoint, write_robot
from lbm_policy_node.core.settings import Value
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.nodes import NODE_MODULES, NodeProcess
from lbm_policy_node.graph.ros_domain import free_domain
from lbm_policy_node.graph.supervisor import Supervisor

PREFIX = "@bench "
SETTLE_S = 0.5
"""Start of a window that is not counted: a continued process first catches up."""
TICK_S = 0.01


class BenchError(Exception):
    """A process of the benchmark ended without a result; holds its last lines."""


def measure_latency(folder: Path, *, frames: int, windows: int, transport_name: str) -> dict[str, Any]:
    """Measure observation stamp to chunk, by turns through the policy node and through bare rclpy.

    Returns:
        ``asked``: frames per side; ``delays_ms``: of those that were answered, for "policy" and "bare".
    """
    robot, checkpoint = str(write_robot(folder)), str(write_checkpoint(folder))
    policy = {"robot": robot, "checkpoint": checkpoint, "schedule": "continuous"}
    processes = [
        bench_process("policy_node", policy),
        bench_process("bench_echo"),
        bench_process("bench_latency", {"frames": frames, "windows": windows}),
    ]
    return run_processes(processes, transport_name, Results.next)


def measure_ticks(
    folder: Path, *, window_s: float, windows: int, transport_name: str
) -> dict[str, list[float]]:
    """Measure how far intervals between ticks are from 10 ms, by turns for the executor and a bare timer.

    Each side is stopped (SIGSTOP) while the other one is measured, so that they do not disturb each other.

    Returns:
        Absolute errors in ms for "executor" and "bare".
    """
    total_s = 2 * windows * window_s + 1.0
    processes = [
        bench_process("chunk_executor_node", {"robot": str(write_robot(folder)), "enable_control": True}),
        bench_process("bench_timer"),
        bench_process("bench_ticks", {"duration_s": total_s}),
    ]

    def alternate(results: Results) -> dict[str, list[float]]:
        results.next()  # ready
        spans = _take_turns(results.supervisor, windows, window_s)
        stamps = results.next()["stamps_ns"]
        return {side: interval_errors_ms(stamps[side], spans[side]) for side in stamps}

    return run_processes(processes, transport_name, alternate)


def measure_takeover(folder: Path, *, presses: int, transport_name: str) -> dict[str, Any]:
    """Measure from a joystick's press to the operator's first command, at a robot that the policy moves.

    Returns:
        ``delays_ms``: one per press that was followed; ``pauses``: how often the joystick's messages were
        so late that the robot paused.
    """
    executor = {"robot": str(write_robot(folder)), "enable_control": True, "after_takeover": "resume"}
    processes = [
        bench_process("chunk_executor_node", executor),
        bench_process("bench_takeover", {"presses": presses}),
    ]
    return run_processes(processes, transport_name, Results.next)


def interval_errors_ms(stamps_ns: Sequence[int], spans_s: Sequence[tuple[float, float]]) -> list[float]:
    """Return |interval - 10 ms| of successive ticks within each span of wall time, ms."""
    stamps_s = np.asarray(stamps_ns, np.float64) * 1e-9
    errors: list[float] = []
    for start_s, end_s in spans_s:
        inside = stamps_s[(stamps_s >= start_s + SETTLE_S) & (stamps_s <= end_s)]
        errors += (np.abs(np.diff(inside) - TICK_S) * 1e3).tolist()
    return errors


def _take_turns(
    supervisor: Supervisor, windows: int, window_s: float
) -> dict[str, list[tuple[float, float]]]:
    pids = {
        "executor": supervisor.process_id("chunk_executor_node"),
        "bare": supervisor.process_id("bench_timer"),
    }
    spans: dict[str, list[tuple[float, float]]] = {side: [] for side in pids}
    try:
        for turn in range(2 * windows):
            side, other = ("executor", "bare") if turn % 2 == 0 else ("bare", "executor")
            os.kill(pids[other], signal.SIGSTOP)
            os.kill(pids[side], signal.SIGCONT)
            start_s = time.time()
            ended = supervisor.first_exit(timeout_s=window_s)
            if ended is not None:
                raise BenchError(str(ended))
            spans[side].append((start_s, time.time()))
    finally:
        for pid in pids.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    return spans


@dataclass(frozen=True)
class Results:
    """What the measuring process prints, as long as every process lives."""

    supervisor: Supervisor
    received: "queue.SimpleQueue[Any]"
    lines: list[str]

    def next(self) -> Any:
        """Return the next result, or raise BenchError with the last lines of a process that ended."""
        ended = None
        while ended is None:
            with suppress(queue.Empty):
                return self.received.get(timeout=0.1)
            ended = self.supervisor.first_exit(timeout_s=0.0)
        with suppress(queue.Empty):  # the last result may still be in its pipe
            return self.received.get(timeout=1.0)
        raise BenchError("\n".join([str(ended), *self.lines[-10:]]))


def bench_process(name: str, parameters: Mapping[str, Value] | None = None) -> NodeProcess:
    """Return a node of the graph or of the benchmarks, to be placed by ``run_processes``."""
    module = NODE_MODULES.get(name, f"lbm_policy_node.ros.bench.{name}")
    return NodeProcess(name=name, module=module, parameters=parameters or {})


def run_processes(
    processes: Sequence[NodeProcess],
    transport_name: str,
    measure: Callable[[Results], dict[str, Any]],
) -> dict[str, Any]:
    """Start processes in a domain of their own and return what ``measure`` makes of their results.

    Raises:
        BenchError: A process ended.
    """
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lines: list[str] = []

    def sink(name: str, line: str) -> None:
        if line.startswith(PREFIX):
            results.put(json.loads(line.removeprefix(PREFIX)))
        else:
            lines.append(f"{name} | {line}")

    chosen = transport.choose(transport_name)
    with free_domain() as domain:
        environment = {**chosen.environment, "ROS_DOMAIN_ID": str(domain)}
        placed = [replace(process, environment=environment) for process in processes]
        with Supervisor(placed, transport=chosen, sink=sink) as supervisor:
            return measure(Results(supervisor, results, lines))
