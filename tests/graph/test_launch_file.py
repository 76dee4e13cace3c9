# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The launch file describes the same nodes as `lbm bringup`.

`launch` and `launch_ros` have no wheels; they come with an installation of ROS 2. Where they are missing the
comparison is skipped and says so; what the launch file says by itself is checked everywhere.
"""

import importlib.util
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import lbm_policy_node
from helpers.node_values import every_setting, other_value, text_of
from lbm_policy_node.graph.arguments import launch_arguments
from lbm_policy_node.graph.bringup import NODES, GraphConfig, describe
from lbm_policy_node.graph.nodes import NODE_MODULES, NodeProcess, node_settings
from lbm_policy_node.graph.replay import NODES as REPLAY_NODES
from lbm_policy_node.graph.replay import ReplayConfig, describe_replay
from lbm_policy_node.paths import shared_path

LAUNCH_FILE = shared_path("launch/bringup.launch.py")
REPLAY_FILE = shared_path("launch/replay.launch.py")


def installed(package: str) -> bool:
    """Whether a real package is there; launch/ in the repository root looks like an empty one."""
    try:
        found = importlib.util.find_spec(package)
    except ImportError:
        return False
    return found is not None and found.origin is not None


needs_launch = pytest.mark.skipif(
    not (installed("launch") and installed("launch_ros")),
    reason="launch and launch_ros are not installed (no wheels exist): the launch file is not loaded here",
)


def launched_nodes(file: Path, **arguments: str) -> list[NodeProcess]:
    """Load a launch file as ros2 launch does, and return its nodes in the terms of graph.py."""
    from launch import LaunchContext  # pyright: ignore[reportAttributeAccessIssue]
    from launch.actions import DeclareLaunchArgument, OpaqueFunction  # pyright: ignore[reportMissingImports]
    from launch_ros.actions import Node  # pyright: ignore[reportMissingImports]

    context = LaunchContext()
    context.launch_configurations.update(arguments)
    found: list[NodeProcess] = []
    todo: list[Any] = list(runpy.run_path(str(file))["generate_launch_description"]().entities)
    while todo:
        entity = todo.pop(0)
        if isinstance(entity, Node):
            found.append(_as_process(entity, context))
        elif isinstance(entity, DeclareLaunchArgument | OpaqueFunction):
            todo = [*(entity.visit(context) or []), *todo]
    return found


def _as_process(node: Any, context: Any) -> NodeProcess:
    from launch.utilities import perform_substitutions  # pyright: ignore[reportMissingImports]

    def text(value: Any) -> str:
        return value if isinstance(value, str) else perform_substitutions(context, value)

    assert text(node.node_package) == "lbm_policy"
    environment = {text(key): text(value) for key, value in node.process_description.additional_env}
    node._perform_substitutions(context)
    parameters: dict[str, Any] = {}
    for path, _is_file in node._Node__expanded_parameter_arguments:
        (values,) = yaml.safe_load(Path(path).read_text()).values()
        parameters |= values["ros__parameters"]
    namespace, _, name = node.node_name.rpartition("/")
    return NodeProcess(
        name=name,
        module=NODE_MODULES[text(node.node_executable)],
        namespace=namespace.strip("/"),
        parameters=parameters,
        environment=environment,
    )


@needs_launch
@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        ({}, {}),
        ({"sim": "true", "enable_control": "true"}, {"sim": True, "enable_control": True}),
        (
            {"transport": "default", "use_sim_time": "true", "namespace": "left"},
            {"transport": "default", "use_sim_time": True, "namespace": "left"},
        ),
        (
            {"sim": "true", "task": "door-open", "real_time_factor": "0.5", "device": "cuda"},
            {"sim": True, "task": "door-open", "real_time_factor": 0.5, "device": "cuda"},
        ),
        (
            {"monitor": "on", "monitor_stop": "warn"},
            {"monitor": "on", "monitor_stop": "warn"},
        ),
        ({"sim": "true", "teleop": "scripted"}, {"sim": True, "teleop": "scripted"}),
        ({"record": "true", "episodes": "/data"}, {"record": True, "episodes": "/data"}),
    ],
    ids=["robot", "simulated", "namespaced", "more_arguments", "monitored", "teleoperated", "recorded"],
)
def test_launch_file_describes_the_same_nodes(
    tmp_path: Path, arguments: dict[str, str], config: dict[str, Any]
) -> None:
    launched = launched_nodes(LAUNCH_FILE, robot="metaworld", checkpoint=str(tmp_path), **arguments)
    described = describe(GraphConfig(robot="metaworld", checkpoint=str(tmp_path), **config)).processes
    assert launched == list(described)


@needs_launch
@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        ({}, {}),
        ({"checkpoint": "."}, {"checkpoint": "."}),
        (
            {"checkpoint": ".", "rate": "4", "loop": "true", "start_s": "1.5", "namespace": "left"},
            {"checkpoint": ".", "rate": 4.0, "loop": True, "start_s": 1.5, "namespace": "left"},
        ),
        (
            {"checkpoint": ".", "skip_unknown": "true", "run_policy": "false", "monitor": "off"},
            {"checkpoint": ".", "skip_unknown": True, "run_policy": False, "monitor": "off"},
        ),
    ],
    ids=["player", "whole", "timed", "switched"],
)
def test_replay_launch_file_describes_the_same_nodes(
    tmp_path: Path, arguments: dict[str, str], config: dict[str, Any]
) -> None:
    shutil.copy(shared_path("config/robots/metaworld.yaml"), tmp_path / "robot.yaml")
    launched = launched_nodes(REPLAY_FILE, episode=str(tmp_path), **arguments)
    described = describe_replay(ReplayConfig(episode=str(tmp_path), **config)).processes
    assert launched == list(described)


@needs_launch
@pytest.mark.parametrize(
    ("file", "kind", "nodes"), [(LAUNCH_FILE, GraphConfig, NODES), (REPLAY_FILE, ReplayConfig, REPLAY_NODES)]
)
def test_launch_file_declares_every_argument(file: Path, kind: type, nodes: tuple[str, ...]) -> None:
    from launch.actions import DeclareLaunchArgument  # pyright: ignore[reportMissingImports]

    entities = runpy.run_path(str(file))["generate_launch_description"]().entities
    declared = [entity.name for entity in entities if isinstance(entity, DeclareLaunchArgument)]
    assert declared == [argument.name for argument in launch_arguments(kind, nodes)]


@needs_launch
@pytest.mark.parametrize("how", ["file", "one by one"])
def test_launch_file_passes_every_setting_of_every_node_on(tmp_path: Path, how: str) -> None:
    values = {node: {} for node in NODES}
    for node, name in every_setting(NODES):
        values[node][name] = other_value(node, node_settings(node)[name])
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({node: {"ros__parameters": below} for node, below in values.items()}))
    each = {f"{node}.{name}": text_of(values[node][name]) for node, name in every_setting(NODES)}
    given = {"params_file": str(file)} if how == "file" else each
    whole = {"sim": "true", "record": "true", "teleop": "scripted", "monitor": "on"}
    launched = launched_nodes(LAUNCH_FILE, robot="metaworld", checkpoint=str(tmp_path), **{**given, **whole})
    assert {node.name: node.parameters for node in launched} == values


@needs_launch
def test_launch_file_refuses_an_unknown_setting(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'n_samples'"):
        launched_nodes(
            LAUNCH_FILE, robot="metaworld", checkpoint=str(tmp_path), **{"policy_node.n_smaples": "8"}
        )


def test_nothing_but_the_launch_files_needs_launch() -> None:
    shared = Path(lbm_policy_node.__file__).parent / "ros" / "launch_actions.py"
    others = [path for path in shared.parents[1].rglob("*.py") if path != shared]
    assert len(others) > 100
    assert not [path for path in others if "launch_actions" in path.read_text(encoding="utf-8")]
    for file in (LAUNCH_FILE, REPLAY_FILE):
        assert "from lbm_policy_node.ros.launch_actions import launch_description" in file.read_text()


def test_launch_file_and_bringup_offer_the_same_arguments() -> None:
    from lbm_policy_node.cli.bringup import command

    starter = {argument.name for argument in launch_arguments(GraphConfig, NODES) if "." not in argument.name}
    flags = {parameter.name for parameter in command.params}
    assert starter - {"params_file"} == flags - {"params_files", "assignments"}
