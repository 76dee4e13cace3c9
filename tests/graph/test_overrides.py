# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every setting of every node by --params-file, by --set and by launch argument; what is wrong is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from helpers.node_values import every_setting, other_value, text_of
from lbm_policy_node.cli.bringup import command, read_config
from lbm_policy_node.cli.replay import command as replay_command
from lbm_policy_node.graph.arguments import config_of, launch_arguments
from lbm_policy_node.graph.bringup import NODES, Graph, GraphConfig, describe
from lbm_policy_node.graph.nodes import CLOCKS, NODE_CONFIGS, NODE_MODULES, node_settings
from lbm_policy_node.graph.replay import NODES as REPLAY_NODES
from lbm_policy_node.graph.replay import ReplayConfig, describe_replay
from lbm_policy_node.paths import shared_path

WHOLE = ("--sim", "--record", "--teleop", "scripted", "--monitor", "on")
"""Flags of the graph that has every node."""
WHOLE_TEXTS = {"sim": "true", "record": "true", "teleop": "scripted", "monitor": "on"}


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def params(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """Write a parameter file: settings by node."""

    def write(nodes: dict[str, Any]) -> str:
        file = tmp_path / "params.yaml"
        file.write_text(yaml.safe_dump({node: {"ros__parameters": below} for node, below in nodes.items()}))
        return str(file)

    return write


def bringup(checkpoint: str, *arguments: str) -> Graph:
    """Describe what `lbm bringup` starts with these arguments."""
    line = ["--robot", "metaworld", "--checkpoint", checkpoint, *arguments]
    return describe(read_config(command.make_context("bringup", line).params))


def launched(checkpoint: str, **texts: str) -> Graph:
    """Describe what launch/bringup.launch.py starts with these arguments."""
    return describe(config_of(GraphConfig, {"robot": "metaworld", "checkpoint": checkpoint, **texts}))


def parameters(graph: Graph, node: str) -> dict[str, Any]:
    (process,) = (process for process in graph.processes if process.name == node)
    return dict(process.parameters)


def test_every_node_has_its_settings_declared_and_belongs_to_a_starter() -> None:
    assert set(NODE_CONFIGS) == set(NODE_MODULES)
    assert set(NODES) | set(REPLAY_NODES) == set(NODE_MODULES) - {"keyboard_teleop_node"}  # of lbm teleop


@pytest.mark.parametrize(("node", "name"), every_setting(NODES))
def test_every_setting_is_reached_by_file_by_set_and_by_launch_argument(
    checkpoint: str, params: Callable[[dict[str, Any]], str], node: str, name: str
) -> None:
    value = other_value(node, node_settings(node)[name])
    file, one = params({node: {name: value}}), f"{node}.{name}"
    graphs = [
        bringup(checkpoint, *WHOLE, "--params-file", file),
        bringup(checkpoint, *WHOLE, "--set", f"{one}={text_of(value)}"),
        launched(checkpoint, **WHOLE_TEXTS, params_file=file),
        launched(checkpoint, **WHOLE_TEXTS, **{one: text_of(value)}),
    ]
    for graph in graphs:
        found = parameters(graph, node)[name]
        assert found == value and type(found) is type(value)
    assert one in {argument.name for argument in launch_arguments(GraphConfig, NODES)}


@pytest.mark.parametrize(("node", "name"), every_setting(REPLAY_NODES))
def test_every_setting_of_a_replay_is_reached_too(
    tmp_path: Path, checkpoint: str, params: Callable[[dict[str, Any]], str], node: str, name: str
) -> None:
    (tmp_path / "robot.yaml").write_bytes(shared_path("config/robots/metaworld.yaml").read_bytes())
    value = other_value(node, node_settings(node)[name])
    if name == "enable_control":
        value = False  # all that a replay accepts
    file, one = params({node: {name: value}}), f"{node}.{name}"
    texts = {"episode": str(tmp_path), "checkpoint": checkpoint, "monitor": "on"}
    for more in ({"params_file": file}, {one: text_of(value)}):
        graph = describe_replay(config_of(ReplayConfig, {**texts, **more}))
        assert parameters(graph, node)[name] == value
    assert one in {argument.name for argument in launch_arguments(ReplayConfig, REPLAY_NODES)}


@pytest.mark.parametrize("how", ["file", "set"])
def test_a_replay_never_enables_control(
    tmp_path: Path, checkpoint: str, params: Callable[[dict[str, Any]], str], how: str
) -> None:
    (tmp_path / "robot.yaml").write_bytes(shared_path("config/robots/metaworld.yaml").read_bytes())
    file = params({"/**": {"enable_control": True}})
    more = {"params_file": file} if how == "file" else {"chunk_executor_node.enable_control": "true"}
    with pytest.raises(ValueError, match="enable_control is true; a replay runs in shadow mode only"):
        describe_replay(config_of(ReplayConfig, {"episode": str(tmp_path), "checkpoint": checkpoint, **more}))


def test_what_is_set_one_by_one_wins_over_flags_files_and_the_graph(
    checkpoint: str, params: Callable[[dict[str, Any]], str]
) -> None:
    (Path(checkpoint) / "monitor.json").write_text(
        json.dumps({"n_samples": 8, "execution_horizon": 4, "score": {"name": "energy"}})
    )

    def samples(*arguments: str) -> Any:
        return parameters(bringup(checkpoint, *arguments), "policy_node")["n_samples"]

    everywhere = ("--params-file", params({"/**": {"n_samples": 5}}))
    assert samples() == 8
    assert samples(*everywhere) == 5
    both = ("--params-file", params({"policy_node": {"n_samples": 6}, "/**": {"n_samples": 5}}))
    assert samples(*both) == 6
    assert samples(*both, "--set", "policy_node.n_samples=7", "--set", "policy_node.n_samples=2") == 2


def test_a_flag_wins_over_a_file_and_loses_against_set(
    checkpoint: str, params: Callable[[dict[str, Any]], str]
) -> None:
    file = ("--params-file", params({"policy_node": {"device": "cuda"}, "/**": {"use_sim_time": True}}))
    plain, flagged = bringup(checkpoint, *file), bringup(checkpoint, *file, "--device", "cpu")
    assert parameters(plain, "policy_node")["device"] == "cuda"
    assert parameters(flagged, "policy_node")["device"] == "cpu"
    one = bringup(checkpoint, *file, "--device", "cpu", "--set", "policy_node.device=cuda:1")
    assert parameters(one, "policy_node")["device"] == "cuda:1"
    wall = bringup(checkpoint, *file, "--no-use-sim-time")
    assert parameters(plain, "policy_node")["use_sim_time"] is True
    assert parameters(wall, "policy_node")["use_sim_time"] is False


def test_of_two_files_the_later_one_wins(checkpoint: str, tmp_path: Path) -> None:
    files = []
    for number, node in ((4, "policy_node"), (3, "/**")):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(f"{node}: {{ros__parameters: {{n_samples: {number}}}}}")
    graph = bringup(checkpoint, "--params-file", str(files[0]), "--params-file", str(files[1]))
    assert parameters(graph, "policy_node")["n_samples"] == 3


def test_shadow_mode_is_announced_by_what_the_executor_really_gets(
    checkpoint: str, params: Callable[[dict[str, Any]], str]
) -> None:
    def shadow(*arguments: str) -> bool:
        graph = bringup(checkpoint, *arguments)
        said = any("shadow mode" in message for message in graph.messages)
        assert said is not parameters(graph, "chunk_executor_node")["enable_control"]
        return said

    file = ("--params-file", params({"chunk_executor_node": {"enable_control": True}}))
    assert shadow() and not shadow(*file)
    assert shadow(*file, "--shadow"), "who asks for shadow mode gets it, whatever a file says"
    assert not shadow("--set", "chunk_executor_node.enable_control=true")
    assert shadow("--enable-control", "--set", "chunk_executor_node.enable_control=false")


@pytest.mark.parametrize(
    ("pattern", "reached"),
    [
        ("policy_node", True),
        ("/left/policy_node", True),
        ("/**/policy_node", True),
        ("/*/policy_node", True),
        ("/left/**", True),
        ("/right/policy_node", False),
        ("/policy_node", False),
    ],
)
def test_namespaces_of_a_file_are_those_of_the_graph(
    checkpoint: str, params: Callable[[dict[str, Any]], str], pattern: str, reached: bool
) -> None:
    file = params({pattern: {"n_samples": 3}})
    graph = bringup(checkpoint, "--namespace", "left", "--params-file", file)
    assert (parameters(graph, "policy_node").get("n_samples") == 3) is reached
    assert any(file in message for message in graph.messages) is not reached


def test_a_file_may_nest_namespaces(checkpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "nested.yaml"
    file.write_text("left:\n  policy_node:\n    ros__parameters: {n_samples: 3}\n")
    graph = bringup(checkpoint, "--namespace", "left", "--params-file", str(file))
    assert parameters(graph, "policy_node")["n_samples"] == 3


def test_sim_time_for_everybody_leaves_out_who_makes_the_time(
    checkpoint: str, params: Callable[[dict[str, Any]], str]
) -> None:
    graph = bringup(checkpoint, *WHOLE, "--params-file", params({"/**": {"use_sim_time": False}}))
    assert {p.name: p.parameters.get("use_sim_time") for p in graph.processes} == {
        name: None if name in CLOCKS else False for name in NODES
    }


def test_settings_of_a_node_that_does_not_start_are_reported_or_refused(
    checkpoint: str, params: Callable[[dict[str, Any]], str]
) -> None:
    file = params({"recorder_node": {"pre_roll_s": 1.0}})
    (message, _shadow) = bringup(checkpoint, "--params-file", file).messages[-2:]
    assert message == f"{file}: this graph has no recorder_node, whose settings are not used"
    with pytest.raises(ValueError, match=r"recorder_node\.pre_roll_s is set, but this graph has no recorder"):
        bringup(checkpoint, "--set", "recorder_node.pre_roll_s=1")


@pytest.mark.parametrize(
    ("nodes", "complaint"),
    [
        ({"policy_node": {"n_smaples": 8}}, "policy_node has no setting 'n_smaples'; did you mean 'n_sam"),
        ({"polcy_node": {"n_samples": 8}}, "there is no node 'polcy_node'; did you mean 'policy_node'?"),
        ({"/**": {"n_smaples": 8}}, "no node has a setting 'n_smaples'; did you mean 'n_samples'?"),
        ({"policy_node": {"n_samples": "8"}}, "policy_node.n_samples is '8'; expected a whole number from 1"),
        ({"policy_node": {"n_samples": 0}}, "policy_node.n_samples is 0; expected a whole number from 1"),
        ({"/**": {"n_samples": True}}, "policy_node.n_samples is true; expected a whole number"),
        (
            {"chunk_executor_node": {"monitor_stop": "hodl"}},
            "chunk_executor_node.monitor_stop is 'hodl'; expected one of hold, warn; did you mean 'hold'?",
        ),
        ({"recorder_node": {"queue_mb": 1.5}}, "recorder_node.queue_mb is 1.5; expected a whole number"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_refused_with_file_node_and_key(
    checkpoint: str, params: Callable[[dict[str, Any]], str], nodes: dict[str, Any], complaint: str
) -> None:
    file = params(nodes)
    for start in (
        lambda: bringup(checkpoint, "--params-file", file),
        lambda: launched(checkpoint, params_file=file),
    ):
        with pytest.raises(ValueError) as caught:
            start()
        assert str(caught.value).startswith(f"{file}: {complaint}") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("policy_node.n_smaples", "8", "policy_node has no setting 'n_smaples'; did you mean 'n_samples'?"),
        ("polcy_node.n_samples", "8", "there is no node 'polcy_node'; did you mean 'policy_node'?"),
        ("policy_node.n_samples", "eight", "policy_node.n_samples is 'eight'; expected a whole number"),
        ("policy_node.rate_hz", "0", "policy_node.rate_hz is 0; expected a number from 0.01 to 1000"),
        ("monitor_node.progress", "vml", "monitor_node.progress is 'vml'; expected one of none, vlm"),
        ("bag_player_node.rate", "2", "bag_player_node.rate is set, but this graph has no bag_player_node"),
    ],
)
def test_what_is_wrong_one_by_one_is_refused(checkpoint: str, name: str, text: str, complaint: str) -> None:
    for start in (
        lambda: bringup(checkpoint, "--set", f"{name}={text}"),
        lambda: launched(checkpoint, **{name: text}),
    ):
        with pytest.raises(ValueError) as caught:
            start()
        assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("text", ["n_samples=8", "policy_node.n_samples", ""])
def test_set_of_another_form_is_refused(checkpoint: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"expected NODE\.SETTING=VALUE"):
        bringup(checkpoint, "--set", text)


def test_values_that_do_not_fit_together_are_refused_before_anything_starts(checkpoint: str) -> None:
    with pytest.raises(ValueError, match="sim_robot_node: image_rate_hz of sim_robot_node is 30"):
        bringup(checkpoint, "--sim", "--set", "sim_robot_node.image_rate_hz=30")
    with pytest.raises(ValueError, match=r"scripted_teleop_node: reaction_low_s is 5 and reaction_high_s"):
        bringup(checkpoint, *WHOLE, "--set", "scripted_teleop_node.reaction_low_s=5")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("policy_node: {n_samples: 8}", r"expected ros__parameters under 'policy_node/n_samples', is 8"),
        ("ros__parameters: {n_samples: 8}", "expected a node with settings"),
        ("policy_node: {ros__parameters: 8}", "expected a node with settings under ros__parameters, is 8"),
        ("[1, 2]", r"expected ros__parameters at its top, is \[1, 2\]"),
        ("policy_node: [", "is no YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(
    checkpoint: str, tmp_path: Path, content: str, complaint: str
) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=complaint):
        bringup(checkpoint, "--params-file", str(file))


def test_a_missing_file_is_refused_and_an_empty_one_sets_nothing(checkpoint: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bringup(checkpoint, "--params-file", str(tmp_path / "none.yaml"))
    (tmp_path / "empty.yaml").write_text("")
    assert bringup(checkpoint, "--params-file", str(tmp_path / "empty.yaml")) == bringup(checkpoint)


def test_arguments_of_another_launch_file_are_left_alone(checkpoint: str) -> None:
    assert launched(checkpoint, **{"camera.exposure": "8", "rviz": "true"}) == launched(checkpoint)


@pytest.mark.parametrize(("program", "nodes"), [(command, NODES), (replay_command, REPLAY_NODES)])
def test_help_lists_every_setting_of_every_node(program: click.Command, nodes: tuple[str, ...]) -> None:
    text = program.get_help(click.Context(program))
    for node in nodes:
        section = text.partition(f"Settings of {node}, as --set {node}.SETTING=VALUE:")[2]
        assert all(f"\n  {name} " in section for name in node_settings(node) if name != "use_sim_time")
