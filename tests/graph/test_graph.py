# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The one description of the graph."""

import json
from pathlib import Path

import pytest
import yaml

from lbm_policy_node.graph import transport
from lbm_policy_node.graph.bringup import GraphConfig, describe
from lbm_policy_node.graph.nodes import NodeProcess
from lbm_policy_node.monitors.scores.registry import score_class, score_names


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
    assert policy["success_topic"] == "/sim/success"


def test_the_simulators_success_ends_the_goal_unless_the_user_names_another_topic(checkpoint: str) -> None:
    settings = {"policy_node": {"success_topic": "/judge"}}
    own = GraphConfig(robot="metaworld", checkpoint=checkpoint, sim=True, settings=settings)
    assert parameters(describe(own).processes[-1])["success_topic"] == "/judge"
    real = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    assert "success_topic" not in real.processes[-1].parameters


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


def test_recorder_starts_first_in_the_namespace_and_only_when_asked(checkpoint: str, tmp_path: Path) -> None:
    without = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    assert "recorder_node" not in [process.name for process in without.processes]
    config = GraphConfig(
        robot="metaworld", checkpoint=checkpoint, sim=True, record=True, episodes="data", namespace="left"
    )
    simulator, recorder, *_ = describe(config).processes
    assert (simulator.name, recorder.name, recorder.namespace) == ("sim_robot_node", "recorder_node", "left")
    assert recorder.parameters["folder"] == str(Path("data").absolute())
    assert recorder.parameters["use_sim_time"] is True and "checkpoint" not in recorder.parameters


def test_recorder_learns_which_calibration_the_monitor_has(checkpoint: str) -> None:
    calibrated(checkpoint, id="abc123")
    (recorder, *_) = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, record=True)).processes
    assert recorder.parameters["calibration_id"] == "abc123"
    off = GraphConfig(robot="metaworld", checkpoint=checkpoint, record=True, monitor="off")
    assert "calibration_id" not in describe(off).processes[0].parameters


def test_parameters_keep_their_types_on_the_command_line() -> None:
    values = {"text": "1", "path": "/a b/c", "whole": 1, "real": 1.0, "switch": True, "empty": ""}
    assert parameters(NodeProcess(name="n", module="m", parameters=values)) == values


def test_unknown_robot_is_refused_with_the_known_ones(checkpoint: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"metaworld\.yaml"):
        describe(GraphConfig(robot="toaster", checkpoint=checkpoint))


def test_missing_checkpoint_is_refused_by_name() -> None:
    with pytest.raises(
        FileNotFoundError, match="checkpoint '/nowhere' is neither a folder nor ws://host:port"
    ):
        describe(GraphConfig(robot="metaworld", checkpoint="/nowhere"))


def calibrated(folder: str, **changes: object) -> Path:
    """Write the part of a calibration that the graph reads."""
    file = Path(folder) / "monitor.json"
    file.write_text(
        json.dumps({"n_samples": 8, "execution_horizon": 4, "score": {"name": "energy"}, **changes})
    )
    return file


def test_monitor_starts_where_the_checkpoint_is_calibrated_and_sets_how_the_policy_is_asked(
    checkpoint: str,
) -> None:
    calibrated(checkpoint)
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, sim=True, namespace="left"))
    simulator, executor, monitor, policy = graph.processes
    assert [p.name for p in (executor, monitor, policy)] == [
        "chunk_executor_node", "monitor_node", "policy_node",
    ]  # fmt: skip
    assert monitor.namespace == "left" and simulator.namespace == ""
    assert monitor.parameters["checkpoint"] == policy.parameters["checkpoint"]
    assert monitor.parameters["use_sim_time"] is True
    assert (policy.parameters["n_samples"], policy.parameters["replan_steps"]) == (8, 4)
    assert executor.parameters["monitor_stop"] == "hold"


def test_what_the_user_sets_for_the_policy_wins_over_the_calibration(checkpoint: str) -> None:
    calibrated(checkpoint)
    chosen = {"n_samples": 2, "replan_steps": 6}
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, settings={"policy_node": chosen}))
    policy = graph.processes[-1].parameters
    assert {key: policy[key] for key in chosen} == chosen


def test_horizon_that_is_not_fixed_at_calibration_is_left_to_the_policy(checkpoint: str) -> None:
    calibrated(checkpoint, execution_horizon=0)
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    assert "replan_steps" not in graph.processes[-1].parameters


def test_monitor_can_be_left_out_and_be_made_to_warn_only(checkpoint: str) -> None:
    calibrated(checkpoint)
    without = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, monitor="off"))
    assert [process.name for process in without.processes] == ["chunk_executor_node", "policy_node"]
    assert "n_samples" not in without.processes[-1].parameters
    warning = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, monitor_stop="warn"))
    assert warning.processes[0].parameters["monitor_stop"] == "warn"


def test_monitor_without_a_calibration_starts_only_on_request_and_says_what_is_missing(
    checkpoint: str,
) -> None:
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, monitor="on"))
    assert [process.name for process in graph.processes][1] == "monitor_node"
    assert any("monitor.json does not exist" in message for message in graph.messages)


def test_calibration_elsewhere_counts_too(checkpoint: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    more = {"calibration": str(calibrated(str(other), n_samples=3))}
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, settings={"monitor_node": more}))
    assert graph.processes[1].parameters["calibration"] == more["calibration"]
    assert graph.processes[2].parameters["n_samples"] == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"n_samples": 8', r"monitor\.json cannot be read"),
        ("[8, 4]", "holds list; expected a JSON object"),
        ('{"n_samples": "8", "execution_horizon": 4}', "n_samples .* is '8'; expected a whole number"),
        ('{"n_samples": 8}', "execution_horizon .* is None"),
        ('{"n_samples": 8, "execution_horizon": 4}', "score .* is None; expected an object"),
    ],
)
def test_broken_calibration_is_refused_before_anything_starts(
    checkpoint: str, text: str, complaint: str
) -> None:
    (Path(checkpoint) / "monitor.json").write_text(text)
    with pytest.raises(ValueError, match=complaint):
        describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, monitor="off"))


def test_unknown_choice_of_a_monitor_is_refused_with_the_choices(checkpoint: str) -> None:
    with pytest.raises(ValueError, match="monitor is 'yes'; expected one of auto, on, off"):
        describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, monitor="yes"))


@pytest.mark.parametrize("name", [n for n in score_names() if score_class(n).needs_embedding])
def test_policy_sends_its_embedding_where_the_score_needs_it(checkpoint: str, name: str) -> None:
    calibrated(checkpoint, score={"name": name})
    graph = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint))
    assert graph.processes[-1].parameters["send_embedding"] is True
    calibrated(checkpoint)
    assert (
        "send_embedding"
        not in describe(GraphConfig(robot="metaworld", checkpoint=checkpoint)).processes[-1].parameters
    )


def test_scripted_operator_sees_the_simulators_state_and_follows_who_drives(checkpoint: str) -> None:
    chosen = {"takeover_after_s": 2.0}
    config = GraphConfig(
        robot="metaworld", checkpoint=checkpoint, sim=True, teleop="scripted", namespace="left",
        settings={"scripted_teleop_node": chosen},
    )  # fmt: skip
    simulator, executor, operator, _policy = describe(config).processes
    assert operator.name == "scripted_teleop_node" and operator.namespace == executor.namespace == "left"
    assert operator.parameters == {
        "robot": executor.parameters["robot"],
        "use_sim_time": True,
        **chosen,
    }
    assert simulator.parameters["publish_privileged"] is True
    without = describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, sim=True))
    assert without.processes[0].parameters["publish_privileged"] is False


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [("scripted", "start the simulated robot too"), ("magic", "teleop is 'magic'; expected one of '', scr")],
)
def test_teleop_that_cannot_work_is_refused(checkpoint: str, choice: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        describe(GraphConfig(robot="metaworld", checkpoint=checkpoint, teleop=choice))


@pytest.mark.parametrize("choice", ["auto", "on"])
def test_a_policy_servers_address_goes_to_the_policy_node_as_it_is(choice: str) -> None:
    url = "ws://gpu:8000"
    graph = describe(GraphConfig(robot="metaworld", checkpoint=url, monitor=choice))
    assert graph.processes[-1].parameters["checkpoint"] == url
    names = [process.name for process in graph.processes]
    assert ("monitor_node" in names) == (choice == "on")
    assert any("no calibration beside it" in message for message in graph.messages) == (choice == "on")


def test_a_policy_servers_monitor_takes_a_calibration_by_parameter(tmp_path: Path) -> None:
    more = {"calibration": str(calibrated(str(tmp_path), n_samples=3))}
    config = GraphConfig(robot="metaworld", checkpoint="ws://gpu:8000", settings={"monitor_node": more})
    graph = describe(config)
    _executor, monitor, policy = graph.processes
    assert monitor.parameters["calibration"] == more["calibration"] and "checkpoint" not in monitor.parameters
    assert policy.parameters["n_samples"] == 3
