# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bringup`: the same graph as launch/bringup.launch.py where `ros2 launch` is not installed."""

import signal
from collections.abc import Sequence

import click

from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.graph.bringup import SCRIPTED, Graph, GraphConfig, describe
from lbm_policy_node.graph.monitor_choice import AUTO
from lbm_policy_node.graph.monitor_choice import CHOICES as MONITOR_CHOICES
from lbm_policy_node.graph.supervisor import Sink, Supervisor
from lbm_policy_node.graph.transport import CHOICES

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


@click.command()
@click.option("--robot", required=True, help="Robot spec: a file, or a name in config/robots.")
@click.option(
    "--checkpoint",
    required=True,
    help="Folder of the policy's checkpoint, or ws://host:port of a policy server.",
)
@click.option("--sim/--no-sim", default=False, help="Start the simulated robot too.")
@click.option(
    "--enable-control/--shadow", default=False, help="Send commands to the controllers; off by default."
)
@click.option("--transport", type=click.Choice(CHOICES), help="Default: large_data with --sim, else mixed.")
@click.option("--use-sim-time/--no-use-sim-time", default=None, help="Follow /clock. Default: with --sim.")
@click.option("--namespace", default="", help="ROS namespace of policy, executor and monitor.")
@click.option("--device", default="cpu", show_default=True, help="Where the policy computes: cpu or cuda.")
@click.option("--task", default="reach", show_default=True, help="First task of the simulated robot.")
@click.option("--real-time-factor", default=1.0, show_default=True, help="Simulated seconds per second.")
@click.option(
    "--monitor",
    type=click.Choice(MONITOR_CHOICES),
    default=AUTO,
    show_default=True,
    help="Start the monitor; auto: where the checkpoint holds its calibration.",
)
@click.option(
    "--monitor-stop",
    type=click.Choice(["hold", "warn"]),
    default="hold",
    show_default=True,
    help="What a STOP of the monitor does.",
)
@click.option(
    "--after-takeover",
    type=click.Choice(["hold", "resume"]),
    default="hold",
    show_default=True,
    help="What releasing the dead-man switch does: hold until resume or a new goal, or let the policy go on.",
)
@click.option(
    "--teleop",
    type=click.Choice([SCRIPTED]),
    help="With --sim: an operator who takes over by the simulator's expert.",
)
@click.option("--record/--no-record", default=False, help="Record an episode per run of the policy.")
@click.option("--episodes", default="episodes", show_default=True, help="Folder of the recorded episodes.")
def command(
    robot: str,
    checkpoint: str,
    sim: bool,
    enable_control: bool,
    transport: str | None,
    use_sim_time: bool | None,
    namespace: str,
    device: str,
    task: str,
    real_time_factor: float,
    monitor: str,
    monitor_stop: str,
    after_takeover: str,
    teleop: str | None,
    record: bool,
    episodes: str,
) -> None:
    """Start policy, executor and monitor for a robot, and the simulated robot with --sim."""
    config = GraphConfig(
        robot=robot,
        checkpoint=checkpoint,
        sim=sim,
        enable_control=enable_control,
        transport=transport,
        use_sim_time=use_sim_time,
        namespace=namespace,
        device=device,
        task=task,
        real_time_factor=real_time_factor,
        monitor=monitor,
        monitor_stop=monitor_stop,
        after_takeover=after_takeover,
        teleop=teleop or "",
        record=record,
        episodes=episodes,
    )
    try:
        graph = describe(config)
    except (SpecError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for message in graph.messages:
        click.secho(message, fg="yellow", err=True)
    raise SystemExit(supervise(graph))
