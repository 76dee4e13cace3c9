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

from lbm_policy_node import transport
from lbm_policy_node.core.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path

Parameter = bool | int | float | str


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
        checkpoint: Folder of the policy's checkpoint.
        sim: Start the simulated robot too.
        enable_control: Send commands to the controllers; false is shadow mode.
        transport: One of transport.CHOICES; None is large_data with the simulated robot, and
            mixed beside a robot's own graph.
        use_sim_time: Follow /clock; None does so with the simulated robot.
        namespace: ROS namespace of policy and executor.
        device: Where the policy computes: cpu or cuda.
        task: First task of the simulated robot.
        real_time_factor: Simulated seconds per wall second.
        policy: More parameters of the policy node.
        executor: More parameters of the chunk executor.
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
    policy: Mapping[str, Parameter] = field(default_factory=dict)
    executor: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What to start, in starting order, and what to tell the user about it."""

    processes: tuple[NodeProcess, ...]
    transport: transport.Transport
    messages: tuple[str, ...]


def describe(config: GraphConfig) -> Graph:
    """Return the processes of a graph, the robot's side first.

    Raises:
        SpecError: The robot spec is refused.
        FileNotFoundError: There is no such robot or checkpoint.
        ValueError: The transport is unknown.
    """
    robot = robot_file(config.robot)
    if not Path(config.checkpoint).is_dir():
        raise FileNotFoundError(f"checkpoint '{config.checkpoint}' is no folder")
    spec = RobotSpec.load(robot)
    chosen = transport.choose(config.transport or ("large_data" if config.sim else "mixed"))
    common = {
        "robot": str(robot),
        "use_sim_time": config.sim if config.use_sim_time is None else config.use_sim_time,
    }
    policy = {"checkpoint": str(Path(config.checkpoint).resolve()), "device": config.device, **config.policy}
    executor = {"enable_control": config.enable_control, **config.executor}
    processes = [
        _process("chunk_executor_node", chosen, config.namespace, {**common, **executor}),
        _process("policy_node", chosen, config.namespace, {**common, **policy}),
    ]
    if config.sim:
        processes.insert(0, _process("sim_robot_node", chosen, "", _sim_parameters(config, spec)))
    messages = [chosen.message] if chosen.message else []
    if not config.enable_control:
        messages.append("shadow mode: enable_control is false, the robot gets no commands")
    return Graph(processes=tuple(processes), transport=chosen, messages=tuple(messages))


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
        module=f"lbm_policy_node.ros.{name}",
        namespace=namespace,
        parameters=parameters,
        environment=chosen.environment,
    )


def _sim_parameters(config: GraphConfig, spec: RobotSpec) -> dict[str, Parameter]:
    """The cameras of the simulated robot deliver what the spec asks for."""
    parameters: dict[str, Parameter] = {
        "task": config.task,
        "real_time_factor": float(config.real_time_factor),
        "image_rate_hz": 1.0 / spec.step_s,
        "base_frame": spec.base_frame,
    }
    for image in spec.images.values():
        parameters |= {"image_height": image.height, "image_width": image.width}
    return parameters
