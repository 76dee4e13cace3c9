# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The graph that replays an episode is the same graph in shadow mode, with the bag in the robot's place."""

import shutil
from pathlib import Path

import pytest

from lbm_policy_node.graph.nodes import PLAYER
from lbm_policy_node.graph.replay import ReplayConfig, describe_replay
from lbm_policy_node.paths import shared_path

CHECKPOINT = str(shared_path("checkpoints/weightless"))


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """What describing needs of an episode."""
    shutil.copy(shared_path("config/robots/metaworld.yaml"), tmp_path / "robot.yaml")
    return tmp_path


def test_everything_runs_in_shadow_mode_on_the_bags_clock(episode: Path) -> None:
    graph = describe_replay(ReplayConfig(episode=str(episode), checkpoint=CHECKPOINT, namespace="left"))
    by_name = {process.name: process for process in graph.processes}
    assert list(by_name) == ["chunk_executor_node", "policy_node", PLAYER]
    assert by_name["chunk_executor_node"].parameters["enable_control"] is False
    for name in ("chunk_executor_node", "policy_node"):
        assert by_name[name].parameters["use_sim_time"] is True
        assert by_name[name].parameters["robot"] == str(episode / "robot.yaml")
    assert "use_sim_time" not in by_name[PLAYER].parameters  # it makes the clock
    assert {process.namespace for process in graph.processes} == {"left"}


def test_the_monitor_runs_where_there_is_a_calibration(episode: Path) -> None:
    checkpoint = str(shared_path("checkpoints/mt10"))
    graph = describe_replay(ReplayConfig(episode=str(episode), checkpoint=checkpoint))
    assert "monitor_node" in {process.name for process in graph.processes}


def test_without_a_checkpoint_only_the_player_starts(episode: Path) -> None:
    (player,) = describe_replay(ReplayConfig(episode=str(episode), rate=4, loop=True)).processes
    assert player.module == "lbm_policy_node.ros.player.bag_player_node"
    assert player.parameters["rate"] == 4.0 and player.parameters["loop"] is True


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), 1e9])
def test_an_impossible_rate_is_refused(episode: Path, rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        describe_replay(ReplayConfig(episode=str(episode), rate=rate))


def test_what_is_no_episode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no recorded episode.*robot\.yaml"):
        describe_replay(ReplayConfig(episode=str(tmp_path / "nothing")))
