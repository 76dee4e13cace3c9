# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The one description of the graph."""

from pathlib import Path

import pytest
import yaml

from lbm_policy_node import transport
from lbm_policy_node.graph import GraphConfig, NodeProcess, describe


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    return str(tmp_path)


def parameters(process: NodeProcess) -> dict[str, object]:
    """Read the parameters back from the command line, as ROS does: YAML."""
    arguments = process.arguments
    pairs = [arguments[i + 1] for i, argument in enumerate(arguments) if argument == "-p"]
    return {key: yaml.safe_load(value) for key, _, value in (pair.partition(":=") for pair in pairs)}


def test_first_start_on_a_robot_moves_nothing_and_says_so(checkpoint: str) -> None:
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    assert [process.name for process in graph.processes] == ["chunk_executor_node", "policy_node"]
    assert graph.processes[0].parameters["enable_control"] is False
    assert any("shadow mode" in message for message in graph.messages)


def test_simulated_robot_comes_first_and_delivers_what_the_spec_asks_for(checkpoint: str) -> None:
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, sim=True, enable_control=True))
    names = [process.name for process in graph.processes]
    assert names == ["sim_robot_node", "chunk_executor_node", "policy_node"]
    simulator, executor, policy = map(parameters, graph.processes)
    assert (simulator["image_height"], simulator["image_width"], simulator["image_rate_hz"]) == (
        128,
        128,
        20.0,
    )
    assert executor["enable_control"] is True and not graph.messages
    assert executor["use_sim_time"] is policy["use_sim_time"] is True
    assert policy["checkpoint"] == str(Path(checkpoint).resolve())


def test_graph_started_whole_uses_large_data_and_one_beside_a_robot_mixes(checkpoint: str) -> None:
    whole = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, sim=True))
    beside = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    chosen = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, transport="default"))
    assert whole.transport == transport.choose("large_data")
    assert beside.transport.name == "mixed" and chosen.transport.environment == {}
    assert all(process.environment == whole.transport.environment for process in whole.processes)


def test_namespace_reaches_policy_and_executor_but_not_the_robot(checkpoint: str) -> None:
    config = GraphConfig(robot="metaworld", checkpoint=checkpoint, sim=True, namespace="left_arm")
    simulator, executor, policy = describe(config).processes
    assert "__ns:=/left_arm" in executor.arguments and "__ns:=/left_arm" in policy.arguments
    assert simulator.namespace == ""


def test_parameters_keep_their_types_on_the_command_line() -> None:
    values = {"text": "1", "path": "/a b/c", "whole": 1, "real": 1.0, "switch": True, "empty": ""}
    assert parameters(NodeProcess(name="n", module="m", parameters=values)) == values


def test_unknown_robot_is_refused_with_the_known_ones(checkpoint: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"metaworld\.yaml"):
        describe(GraphConfig(robot="toaster", checkpoint=checkpoint))


def test_missing_checkpoint_is_refused_by_name() -> None:
    with pytest.raises(FileNotFoundError, match="checkpoint '/nowhere' is no folder"):
        describe(GraphConfig(robot="metaworld", checkpoint="/nowhere"))
