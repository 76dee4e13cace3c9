# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Run a demo plan: the graph and its operator as supervised processes, the operator's events as results."""

import json
import os
import queue
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lbm_policy_node.demo.demo_plan import EVENT_PREFIX, DemoPlan, EpisodeResult
from lbm_policy_node.graph.bringup import Graph
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.graph.ros_domain import free_domain
from lbm_policy_node.graph.supervisor import Supervisor

Event = dict[str, Any]


class DemoError(Exception):
    """The graph could not be started, or ended early; names the cause and the log."""


@dataclass
class DemoOutcome:
    """What a demo yielded.

    Attributes:
        results: One per episode, in order.
        first_motion_s: From the start of this program to the first command that was sent; None without one.
    """

    results: list[EpisodeResult] = field(default_factory=list)
    first_motion_s: float | None = None


def run_plan(plan: DemoPlan, graph: Graph, on_event: Callable[[Event], None]) -> DemoOutcome:
    """Run every episode of a plan; all output of the graph goes to graph.log in the plan's folder.

    Args:
        plan: What to do.
        graph: Simulator, executor and policy.
        on_event: Called in this thread with each event of the operator, for progress.

    Raises:
        DemoError: A process ended or refused to work before the plan was done.
    """
    output = Path(plan.output)
    plan.write(output / "plan.json")
    log_path, outcome = output / "graph.log", DemoOutcome()
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with log_path.open("w", encoding="utf-8") as log, free_domain() as domain:

        def sink(name: str, line: str) -> None:
            if line.startswith(EVENT_PREFIX):
                lines.put(line.removeprefix(EVENT_PREFIX))
            else:
                log.write(f"{name} | {line}\n")

        processes = [_in_domain(process, domain) for process in (*graph.processes, _operator(graph, output))]
        with Supervisor(processes, transport=graph.transport, sink=sink) as supervisor:
            ended = None
            while ended is None:
                ended = supervisor.first_exit(timeout_s=0.05)
                _take_events(lines, outcome, on_event)
        _take_events(lines, outcome, on_event)
    if len(outcome.results) < len(plan.episodes):
        raise DemoError(f"{ended} before the plan was done; its output is in {log_path}")
    return outcome


def _take_events(
    lines: queue.SimpleQueue[str | None], outcome: DemoOutcome, on_event: Callable[[Event], None]
) -> None:
    while not lines.empty():
        event: Event = json.loads(lines.get() or "{}")
        if event["event"] == "failed":
            raise DemoError(event["text"])
        if event["event"] == "first_command":
            outcome.first_motion_s = event["boot_time_s"] - process_start_s()
        if event["event"] == "episode_done":
            outcome.results.append(EpisodeResult(**{k: v for k, v in event.items() if k != "event"}))
        on_event(event)


def process_start_s() -> float:
    """Return when this process was started, seconds since boot, as /proc/self/stat has it (field 22)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return float(fields[19]) / os.sysconf("SC_CLK_TCK")


def _operator(graph: Graph, output: Path) -> NodeProcess:
    return NodeProcess(
        name="demo_operator",
        module="lbm_policy_node.ros.demo.demo_operator",
        parameters={"plan": str(output.resolve() / "plan.json")},
        environment=graph.transport.environment,
    )


def _in_domain(process: NodeProcess, domain: int) -> NodeProcess:
    return replace(process, environment={**process.environment, "ROS_DOMAIN_ID": str(domain)})
