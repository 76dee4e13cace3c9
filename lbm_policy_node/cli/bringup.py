# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bringup`: the same graph as launch/bringup.launch.py where `ros2 launch` is not installed."""

import signal
from collections.abc import Sequence
from typing import Any

import click

from lbm_policy_node.cli.node_options import graph_command, node_options
from lbm_policy_node.cli.options import dataclass_options, take
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.graph.bringup import NODES, Graph, GraphConfig, describe
from lbm_policy_node.graph.overrides import parse_assignments
from lbm_policy_node.graph.supervisor import Sink, Supervisor

COLORS = ("cyan", "green", "yellow", "magenta", "blue")


def prefixed_output(names: Sequence[str]) -> Sink:
    """Return a sink that prints each line behind its process's name, in its colour on a terminal."""
    width = max(map(len, names))
    prefixes = {
        name: click.style(f"{name:{width}} | ", fg=COLORS[i % len(COLORS)]) for i, name in enumerate(names)
    }
    return lambda name, line: click.echo(prefixes[name] + line)


def supervise(graph: Graph) -> int:
    """Run a graph until Ctrl-C, SIGTERM, or the end of one of its processes; return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sink = prefixed_output([process.name for process in graph.processes])
    try:
        with Supervisor(graph.processes, transport=graph.transport, sink=sink) as supervisor:
            ended = supervisor.first_exit()
            assert ended is not None
            click.secho(f"{ended}; stopping the others", fg="red", err=True)
            return ended.exit_code
    except KeyboardInterrupt:
        return 0


def read_config(values: dict[str, Any]) -> GraphConfig:
    """Return the flags as the graph's configuration.

    Raises:
        ValueError: A setting of a node is refused.
    """
    files, settings = values.pop("params_files"), parse_assignments(values.pop("assignments"))
    return take(GraphConfig, values, params_files=files, settings=settings)


@click.command(cls=graph_command(NODES))
@dataclass_options(GraphConfig, flags={"enable_control": "--enable-control/--shadow"})
@node_options
def command(**values: Any) -> None:
    """Start policy, executor and monitor for a robot, and the simulated robot with --sim.

    Each node's settings come from --set, else from these flags, else from --params-file, else from the graph
    (such as the samples that the monitor was calibrated with), else from the node's own default.
    """
    try:
        graph = describe(read_config(values))
    except (SpecError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for message in graph.messages:
        click.secho(message, fg="yellow", err=True)
    raise SystemExit(supervise(graph))
