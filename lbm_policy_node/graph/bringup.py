# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The one description of the graph: which processes run, with which parameters and environment.

``lbm bringup`` and ``launch/bringup.launch.py`` both start what ``describe`` returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lbm_policy_node.core.settings import REQUIRED, Value, check_settings, setting
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.monitor_choice import AUTO, CHOICES, MonitorChoice, choose_monitor
from lbm_policy_node.graph.nodes import (
    CLOCKS,
    EXECUTOR,
    MONITOR,
    NODE_MODULES,
    OPERATOR,
    POLICY,
    RECORDER,
    ROBOT,
    SIM_TIME,
    NodeProcess,
)
from lbm_policy_node.graph.overrides import NodeSettings, Overrides
from lbm_policy_node.graph.starter_settings import defaults_by_node, given_by_node, of_node
from lbm_policy_node.paths import is_server_url, shared_path

SCRIPTED = "scripted"
TELEOP_CHOICES = ("", SCRIPTED)
SIM_SUCCESS = "/sim/success"
"""Where the simulated robot says whether its task is solved."""

NODES = (ROBOT, RECORDER, EXECUTOR, OPERATOR, MONITOR, POLICY)
"""Every node that this graph may have, in starting order."""


@dataclass(frozen=True, kw_only=True)
class GraphConfig:
    """What a user chooses when starting the graph.

    A setting that stands for one of a node has None for "not given": then a parameter file or the node's own
    default decides.

    Attributes:
        params_files: ROS 2 parameter files; a later one wins.
        settings: Values by node and setting, which win over everything else.
    """

    robot: str = setting(REQUIRED, "Robot spec: a file, or the name of one in config/robots.")
    checkpoint: str = setting(
        REQUIRED, "Folder of the policy's checkpoint, or ws://host:port of a policy server."
    )
    sim: bool = setting(False, "Start the simulated robot too.")
    enable_control: bool | None = of_node(EXECUTOR, "enable_control")
    transport: str | None = setting(
        None,
        "How images reach the other processes, see docs/transport.md; auto: large_data with the simulated "
        "robot, else mixed.",
        choices=transport.CHOICES,
    )
    use_sim_time: bool | None = setting(
        None, "Whether every node follows /clock; auto: with the simulated robot."
    )
    namespace: str = setting("", "ROS namespace of all nodes but the simulated robot.")
    device: str | None = of_node(POLICY, "device")
    task: str | None = of_node(ROBOT, "task")
    real_time_factor: float | None = of_node(ROBOT, "real_time_factor")
    monitor: str = setting(
        AUTO,
        "Start the monitor; auto: where the checkpoint holds its calibration, whose samples and execution "
        "horizon then become the policy's.",
        choices=CHOICES,
    )
    monitor_stop: str | None = of_node(EXECUTOR, "monitor_stop")
    after_takeover: str | None = of_node(EXECUTOR, "after_takeover")
    teleop: str = setting(
        "",
        "scripted: an operator that takes over by the simulator's expert, with the simulated robot only; "
        "empty: none. A gamepad or `lbm teleop` needs nothing here.",
        choices=TELEOP_CHOICES,
    )
    record: bool = setting(False, "Record an episode per run of the policy.")
    episodes: str | None = of_node(RECORDER, "folder")
    params_files: tuple[str, ...] = ()
    settings: NodeSettings = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What to start, in starting order, and the messages for the user about it."""

    processes: tuple[NodeProcess, ...]
    transport: transport.Transport
    messages: tuple[str, ...]


def describe(config: GraphConfig) -> Graph:
    """Return the processes of a graph, the robot's side first and the policy last.

    Raises:
        SpecError: The robot spec is refused.
        FileNotFoundError: There is no such robot, checkpoint or parameter file.
        ValueError: A setting is refused, the scripted operator has no simulator, or the monitor's calibration
            cannot be read.
    """
    overrides = read_overrides(config)
    return checked(assemble(config, overrides), overrides)


def read_overrides(config: GraphConfig) -> Overrides:
    """Read and check what the user sets for the nodes.

    Raises:
        OSError: A parameter file cannot be read.
        ValueError: A setting is refused.
    """
    check_settings(config)
    flags = given_by_node(config)
    if config.use_sim_time is not None:
        for node in set(NODES) - set(CLOCKS):
            flags.setdefault(node, {})[SIM_TIME] = config.use_sim_time
    return Overrides.read(config.params_files, flags, config.settings)


def assemble(config: GraphConfig, overrides: Overrides) -> Graph:
    """Return the processes with what the user sets for them; see ``describe`` for what is raised."""
    if config.teleop and not config.sim:
        raise ValueError(
            f"teleop '{config.teleop}' acts on the simulator's state: start the simulated robot too (sim)"
        )
    robot, folder = robot_file(config.robot), _checkpoint_folder(config.checkpoint)
    spec = RobotSpec.load(robot)
    chosen = transport.choose(config.transport or ("large_data" if config.sim else "mixed"))
    calibration = str(overrides.applied(MONITOR, config.namespace, {}).get("calibration", ""))
    monitor = choose_monitor(config.monitor, folder, calibration)
    processes = [
        process(name, chosen, "" if name == ROBOT else config.namespace, parameters, overrides)
        for name, parameters in _derived(config, robot, spec, folder, monitor).items()
    ]
    messages = [message for message in (chosen.message, monitor.message) if message]
    return Graph(processes=tuple(processes), transport=chosen, messages=tuple(messages))


def checked(graph: Graph, overrides: Overrides) -> Graph:
    """Add what the user should know about shadow mode and about settings of nodes that do not start.

    Raises:
        SettingError: A node was set one by one that the graph does not start.
    """
    idle = overrides.check_started({process.name: process.namespace for process in graph.processes})
    executors = [process for process in graph.processes if process.name == EXECUTOR]
    shadow = [
        "shadow mode: enable_control is false, the robot gets no commands"
        for executor in executors
        if not executor.parameters["enable_control"]
    ]
    return replace(graph, messages=(*graph.messages, *idle, *shadow))


def _checkpoint_folder(checkpoint: str) -> Path | None:
    """The folder, or None for the address of a policy server, which has no calibration beside it."""
    if is_server_url(checkpoint):
        return None
    folder = Path(checkpoint).resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"checkpoint '{checkpoint}' is neither a folder nor ws://host:port")
    return folder


def robot_file(robot: str) -> Path:
    """Return the file of a spec given as a path or as a name in config/robots.

    Raises:
        FileNotFoundError: With the known names.
    """
    path = Path(robot)
    return path.resolve() if path.is_file() else shared_path(f"config/robots/{robot}.yaml")


def process(
    name: str,
    chosen: transport.Transport,
    namespace: str,
    derived: Mapping[str, Value],
    overrides: Overrides,
) -> NodeProcess:
    """Return one node's process, with what the user sets on top of what the graph derives."""
    parameters = overrides.applied(name, namespace, derived)
    if name == RECORDER:
        parameters["folder"] = str(Path(str(parameters["folder"])).absolute())
    return NodeProcess(
        name=name,
        module=NODE_MODULES[name],
        namespace=namespace,
        parameters=parameters,
        environment=chosen.environment,
    )


def _derived(
    config: GraphConfig, robot: Path, spec: RobotSpec, folder: Path | None, monitor: MonitorChoice
) -> dict[str, dict[str, Value]]:
    """The nodes in starting order, and what follows for each from the choices."""
    common: dict[str, Value] = {
        "robot": str(robot),
        SIM_TIME: config.sim if config.use_sim_time is None else config.use_sim_time,
    }
    weights: dict[str, Value] = {**common, "checkpoint": str(folder or config.checkpoint)}
    nodes: dict[str, dict[str, Value]] = {}
    if config.sim:
        nodes[ROBOT] = _of_robot(config, spec)
    if config.record:  # before the others, so that it hears them from their beginning
        known = {"calibration_id": monitor.calibration_id} if monitor.calibration_id else {}
        nodes[RECORDER] = {**common, **known}
    nodes[EXECUTOR] = common
    if config.teleop == SCRIPTED:
        nodes[OPERATOR] = common
    if monitor.starts:
        nodes[MONITOR] = weights if folder else common
    nodes[POLICY] = {**weights, **_of_policy(config, monitor)}
    defaults = defaults_by_node(GraphConfig)
    return {name: {**values, **defaults.get(name, {})} for name, values in nodes.items()}


def _of_policy(config: GraphConfig, monitor: MonitorChoice) -> dict[str, Value]:
    """The policy is asked as at calibration: other thresholds would hold for other samples and horizons.

    The simulator says when the task is solved.
    """
    parameters: dict[str, Value] = {"success_topic": SIM_SUCCESS} if config.sim else {}
    if monitor.n_samples:
        parameters["n_samples"] = monitor.n_samples
    if monitor.execution_horizon:
        parameters["replan_steps"] = monitor.execution_horizon
    if monitor.send_embedding:
        parameters["send_embedding"] = True
    return parameters


def _of_robot(config: GraphConfig, spec: RobotSpec) -> dict[str, Value]:
    """The cameras of the simulated robot deliver what the spec asks for."""
    parameters: dict[str, Value] = {
        "image_rate_hz": 1.0 / spec.step_s,
        "base_frame": spec.base_frame,
        "publish_privileged": config.teleop == SCRIPTED,
    }
    for image in spec.images.values():
        parameters |= {"image_height": image.height, "image_width": image.width}
    return parameters
