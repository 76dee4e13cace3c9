# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm replay --live`: the bag player, alone beside a graph that runs, or with a graph of its own."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import click

from lbm_policy_node.cli.bringup import prefixed_output
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.graph.replay import PLAYER, ReplayConfig, describe_replay
from lbm_policy_node.graph.supervisor import Supervisor


@dataclass(frozen=True)
class LiveOptions:
    """Flags that only --live reads."""

    NAMES: ClassVar[tuple[str, ...]] = ("rate", "loop", "start_s", "skip_unknown", "namespace", "transport")

    rate: float = 1.0
    loop: bool = False
    start_s: float = 0.0
    skip_unknown: bool = False
    namespace: str = ""
    transport: str = "mixed"


def play(episode: Path, options: LiveOptions, checkpoint: Path | None, device: str) -> int:
    """Play an episode into a graph until its end or Ctrl-C.

    Args:
        episode: Its folder.
        options: The flags.
        checkpoint: Start policy, monitor and executor in shadow mode, too; None: they run already.
        device: Where that policy computes.

    Returns:
        0 at the end of the episode; else the exit code of what ended first.

    Raises:
        click.ClickException: The graph cannot be described.
    """
    config = ReplayConfig(
        episode=str(episode),
        checkpoint=str(checkpoint) if checkpoint else "",
        rate=options.rate,
        loop=options.loop,
        start_s=options.start_s,
        skip_unknown=options.skip_unknown,
        namespace=options.namespace,
        transport=options.transport,
        device=device,
    )
    try:
        graph = describe_replay(config)
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
