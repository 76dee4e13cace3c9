# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm replay --live`: the bag player, alone beside a graph that runs, or with a graph of its own."""

from __future__ import annotations

import signal
from typing import Any

import click

from lbm_policy_node.cli.bringup import prefixed_output
from lbm_policy_node.cli.options import take
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.graph.nodes import PLAYER
from lbm_policy_node.graph.overrides import parse_assignments
from lbm_policy_node.graph.replay import ReplayConfig, describe_replay
from lbm_policy_node.graph.supervisor import Supervisor

LIVE_ONLY = ("rate", "loop", "start_s", "skip_unknown", "run_policy", "namespace", "monitor", "transport")
"""Settings of the replayed graph whose flags the comparison does not read."""


def take_live(values: dict[str, Any]) -> dict[str, Any]:
    """Remove what only --live reads from the flags of the command, and return it."""
    return {name: values.pop(name) for name in (*LIVE_ONLY, "params_files", "assignments")}


def play(values: dict[str, Any]) -> int:
    """Play an episode into a graph until its end or Ctrl-C.

    Args:
        values: The flags by name, and the episode.

    Returns:
        0 at the end of the episode; else the exit code of what ended first.

    Raises:
        click.ClickException: The graph cannot be described.
    """
    try:
        files, settings = values.pop("params_files"), parse_assignments(values.pop("assignments"))
        graph = describe_replay(take(ReplayConfig, values, params_files=files, settings=settings))
    except (SpecError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for message in graph.messages:
        click.secho(message, fg="yellow", err=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sink = prefixed_output([process.name for process in graph.processes])
    try:
        with Supervisor(graph.processes, transport=graph.transport, sink=sink) as supervisor:
            ended = supervisor.first_exit()
            assert ended is not None  # no time-out
            if ended.name == PLAYER and ended.status == 0:
                return 0
            click.secho(str(ended), fg="red", err=True)
            return ended.exit_code
    except KeyboardInterrupt:
        return 0
