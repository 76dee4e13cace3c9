# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The one description of the graph: which processes run, with which parameters and environment.

``lbm bringup`` and ``launch/bringup.launch.py`` both start what ``describe`` returns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.monitor_choice import AUTO, MonitorChoice, choose_monitor
from lbm_policy_node.paths import is_server_url, shared_path

Parameter = bool | int | float | str
SCRIPTED = "scripted"
TELEOP_CHOICES = ("", SCRIPTED)
NODE_MODULES = {
    name: f"lbm_policy_node.ros.{folder}.{name}"
    for name, folder in {
        "policy_node": "policy",
        "chunk_executor_node": "executor",
        "monitor_node": "monitor",
        "recorder_node": "recorder",
        "sim_robot_node": "sim",
        "scripted_teleop_node": "sim",
        "keyboard_teleop_node": "keyboard",
        "bag_player_node": "player",
    }.items()
}
"""Module of each program, as ``python -m`` runs it; setup.py installs each under its node's name."""


@dataclass(frozen=True, kw_only=True)
class NodeProcess:
    """One node in one process.

    Attributes:
        name: Node name, and the prefix of its output.
        module: What ``python -m`` runs.
        namespace: ROS namespace, empty for the root.
        parameters: ROS parameters.
        environment: Variables on top of the starter's.
    """

    name: str
    module: str
    namespace: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def executable(self) -> str:
        """Name of the installed program, as ``ros2 run lbm_policy <executable>`` takes it."""
        return self.module.rpartition(".")[2]

    @property
    def arguments(self) -> list[str]:
        """ROS arguments that set name, namespace and parameters."""
        arguments = ["--ros-args", "-r", f"__node:={self.name}"]
        if self.namespace:
            arguments += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for key, value in self.parameters.items():
            arguments += [
                "-p",
                f"{key}:={json.dumps(value)}",
            ]  # JSON is YAML: "1" stays a string, 1.0 a float
        return arguments


@dataclass(frozen=True, kw_only=True)
class GraphConfig:
    """What a user chooses when starting the graph.

    Attributes:
        robot: Robot spec: a file, or the name of one in config/robots.
        checkpoint: Folder of the policy's checkpoint, or ws://host:port of a policy server.
        sim: Start the simulated robot too.
        enable_control: Send commands to the controllers; false is shadow mode.
        transport: One of transport.CHOICES; None is large_data with the simulated robot, and
            mixed beside a robot's own graph.
        use_sim_time: Follow /clock; None does so with the simulated robot.
        namespace: ROS namespace of policy, executor and monitor.
        device: Where the policy computes: cpu or cuda.
        task: First task of the simulated robot.
        real_time_factor: Simulated seconds per wall second.
        monitor: "on", "off", or "auto": where the checkpoint holds a calibration. Its number of samples and
            its execution horizon become the policy's, unless `policy` says otherwise.
        monitor_stop: What a STOP of the monitor does: "hold" or "warn".
        after_takeover: What a person's release does: "hold" until resume or a new goal, or "resume".
        teleop: "scripted" starts an operator that takes over by the simulator's expert (with `sim` only);
            empty for none. A person's gamepad or `lbm teleop` needs nothing here.
        record: Start the recorder too: an episode per run of the policy.
        episodes: Folder that it writes them into.
        policy: More parameters of the policy node.
        executor: More parameters of the chunk executor.
        monitor_parameters: More parameters of the monitor.
        teleop_parameters: More parameters of the scripted operator.
    """

    robot: str
    checkpoint: str
    sim: bool = False
    enable_control: bool = False
    transport: str | None = None
    use_sim_time: bool | None = None
    namespace: str = ""
    device: str = "cpu"
    task: str = "reach"
    real_time_factor: float = 1.0
    monitor: str = AUTO
    monitor_stop: str = "hold"
    after_takeover: str = "hold"
    teleop: str = ""
    record: bool = False
    episodes: str = "episodes"
    policy: Mapping[str, Parameter] = field(default_factory=dict)
    executor: Mapping[str, Parameter] = field(default_factory=dict)
    monitor_parameters: Mapping[str, Parameter] = field(default_factory=dict)
    teleop_parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What to start, in starting order, and what to tell the user about it."""

    processes: tuple[NodeProcess, ...]
    transport: transport.Transport
    messages: tuple[str, ...]


def describe(config: GraphConfig) -> Graph:
    """Return the processes of a graph, the robot's side first and the policy last.

    Raises:
        SpecError: The robot spec is refused.
        FileNotFoundError: There is no such robot or checkpoint.
        ValueError: The transport or the teleop is unknown, the scripted operator has no simulator, or the
            monitor's calibration cannot be read.
    """
    _check_teleop(config)
    robot, folder = robot_file(config.robot), _checkpoint_folder(config.checkpoint)
    spec = RobotSpec.load(robot)
    chosen = transport.choose(config.transport or ("large_data" if config.sim else "mixed"))
    monitor = choose_monitor(config.monitor, folder, str(config.monitor_parameters.get("calibration", "")))
    processes = [
        _process(name, chosen, config.namespace, parameters)
        for name, parameters in _parameters(config, robot, folder, monitor).items()
    ]
    if config.sim:
        processes.insert(0, _process("sim_robot_node", chosen, "", _sim_parameters(config, spec)))
    messages = [message for message in (chosen.message, monitor.message) if message]
    if not config.enable_control:
        messages.append("shadow mode: enable_control is false, the robot gets no commands")
    return Graph(processes=tuple(processes), transport=chosen, messages=tuple(messages))


def _check_teleop(config: GraphConfig) -> None:
    if config.teleop not in TELEOP_CHOICES:
        choices = ", ".join(repr(choice) for choice in TELEOP_CHOICES)
        raise ValueError(f"teleop is '{config.teleop}'; expected one of {choices}")
    if config.teleop and not config.sim:
        raise ValueError(
            f"teleop '{config.teleop}' acts on the simulator's state: start the simulated robot too (sim)"
        )


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


def _process(
    name: str, chosen: transport.Transport, namespace: str, parameters: Mapping[str, Parameter]
) -> NodeProcess:
    return NodeProcess(
        name=name,
        module=NODE_MODULES[name],
        namespace=namespace,
        parameters=parameters,
        environment=chosen.environment,
    )


def _parameters(
    config: GraphConfig, robot: Path, folder: Path | None, monitor: MonitorChoice
) -> dict[str, dict[str, Parameter]]:
    """The parameters of the nodes in the namespace, in starting order."""
    common: dict[str, Parameter] = {
        "robot": str(robot),
        "use_sim_time": config.sim if config.use_sim_time is None else config.use_sim_time,
    }
    weights: dict[str, Parameter] = {**common, "checkpoint": str(folder or config.checkpoint)}
    executor = {
        "enable_control": config.enable_control,
        "monitor_stop": config.monitor_stop,
        "after_takeover": config.after_takeover,
    }
    nodes: dict[str, dict[str, Parameter]] = {}
    if config.record:  # first, so that it hears the others from their beginning
        nodes["recorder_node"] = {**common, "folder": str(Path(config.episodes).absolute())}
        if monitor.calibration_id:
            nodes["recorder_node"]["calibration_id"] = monitor.calibration_id
    nodes["chunk_executor_node"] = {**common, **executor, **config.executor}
    if config.teleop == SCRIPTED:
        nodes["scripted_teleop_node"] = {**common, **config.teleop_parameters}
    if monitor.starts:
        nodes["monitor_node"] = {**(weights if folder else common), **config.monitor_parameters}
    nodes["policy_node"] = {**weights, **_policy_parameters(config, monitor)}
    return nodes


def _policy_parameters(config: GraphConfig, monitor: MonitorChoice) -> dict[str, Parameter]:
    """The policy is asked as at calibration: other thresholds would hold for other samples and horizons."""
    parameters: dict[str, Parameter] = {"device": config.device}
    if monitor.n_samples:
        parameters["n_samples"] = monitor.n_samples
    if monitor.execution_horizon:
        parameters["replan_steps"] = monitor.execution_horizon
    if monitor.send_embedding:
        parameters["send_embedding"] = True
    return {**parameters, **config.policy}


def _sim_parameters(config: GraphConfig, spec: RobotSpec) -> dict[str, Parameter]:
    """The cameras of the simulated robot deliver what the spec asks for."""
    parameters: dict[str, Parameter] = {
        "task": config.task,
        "real_time_factor": float(config.real_time_factor),
        "image_rate_hz": 1.0 / spec.step_s,
        "base_frame": spec.base_frame,
        "publish_privileged": config.teleop == SCRIPTED,
    }
    for image in spec.images.values():
        parameters |= {"image_height": image.height, "image_width": image.width}
    return parameters
