# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo through the whole graph, with a policy that solves nothing; one of two scenes starts solved."""

import json
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from lbm_policy_node.data.datasets.dataset_reader import read_dataset
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_records import Outcome
from lbm_policy_node.demo.demo_finish import finish
from lbm_policy_node.demo.demo_plan import DemoPlan, Episode
from lbm_policy_node.demo.demo_progress import Progress
from lbm_policy_node.demo.demo_run import DemoError, DemoOutcome, run_plan
from lbm_policy_node.demo.demo_setup import NODE_SETTINGS, RESCUE, choose_checkpoint, fresh_folder, make_plan
from lbm_policy_node.graph.bringup import Graph, GraphConfig, describe
from lbm_policy_node.paths import shared_path

CLOSED_DRAWER = Episode(task="drawer-close", seed=1, options_json='{"ajar": 0.0}')
OPEN_WINDOW = Episode(task="window-close", seed=1, options_json='{"ajar": 0.9}')


def graph(task: str) -> Graph:
    """The demo's graph with the policy that has no weights."""
    checkpoint = str(shared_path("checkpoints/weightless"))
    return describe(
        GraphConfig(
            robot="metaworld",
            checkpoint=checkpoint,
            sim=True,
            enable_control=True,
            task=task,
            real_time_factor=0.5,
        )
    )


def plan(output: Path, *episodes: Episode) -> DemoPlan:
    """Two seconds of simulated time per episode: enough for many chunks on a busy machine too."""
    return DemoPlan(episodes=episodes, time_limit_s=2.0, wall_limit_s=60.0, output=str(output))


@pytest.fixture(scope="module")
def finished(
    slow: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DemoOutcome, Path, list[dict[str, Any]]]:
    """The outcome of one demo, its folder, and the events on the way."""
    output, events = tmp_path_factory.mktemp("demo"), []
    outcome = run_plan(plan(output, CLOSED_DRAWER, OPEN_WINDOW), graph("drawer-close"), events.append)
    return outcome, output, events


def test_success_ends_a_run_and_the_time_limit_ends_the_other(finished) -> None:
    solved, unsolved = finished[0].results
    assert (solved.solved, solved.ending, solved.instruction) == (True, "solved", "close the drawer")
    assert (unsolved.solved, unsolved.ending) == (False, "time limit")
    assert solved.seconds < 2.0 <= unsolved.seconds < 2.5
    assert unsolved.chunks >= 2 and unsolved.commands >= 10, "chunks came and commands were sent"


def test_progress_tells_each_episode_and_when_the_robot_first_moved(finished) -> None:
    outcome, _, events = finished
    names = [event["event"] for event in events if event["event"].startswith("episode")]
    assert names == ["episode_begins", "episode_started", "episode_done"] * 2
    assert outcome.first_motion_s is not None and outcome.first_motion_s > 0.0
    progress = Progress(2)
    for event in events:
        progress(event)


def test_table_pictures_and_exit_code_follow_the_results(
    finished, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome, output, _ = finished
    assert finish(outcome, graph("drawer-close"), output, required=1) == 0
    printed = capsys.readouterr().out
    assert "close the drawer" in printed and "1 of 2 tasks solved" in printed
    assert finish(outcome, graph("drawer-close"), output, required=2) == 1
    assert "fewer than the required 2" in capsys.readouterr().err
    results = json.loads((output / "results.json").read_text())
    assert [episode["solved"] for episode in results["episodes"]] == [True, False]


def test_contact_sheet_shows_camera_pictures_and_plot_has_both_paths(finished) -> None:
    outcome, output, _ = finished
    finish(outcome, graph("drawer-close"), output, required=0)
    recording = np.load(output / outcome.results[1].recording, allow_pickle=False)
    assert recording["frames"].shape == (6, 128, 128, 3) and recording["frames"].std() > 10
    assert np.ptp(recording["commanded"][:, 0]) > 0.5 and np.ptp(recording["measured"][:, 0]) > 0.8
    assert recording["chunks"].shape[1:] == (16, 4) and np.abs(recording["chunks"][..., 0]).max() < 5.0
    for name in ("contact_sheet.png", "paths.png"):
        picture = matplotlib.image.imread(output / name)
        assert min(picture.shape[:2]) > 150 and picture[..., :3].std() > 0.05


@pytest.mark.slow
def test_policy_that_refuses_its_checkpoint_ends_the_demo_with_its_reason(tmp_path: Path) -> None:
    broken, output = tmp_path / "checkpoint", tmp_path / "demo"
    broken.mkdir()
    output.mkdir()
    (broken / "config.json").write_text('{"type": "weightless", "surprise": 1}')
    config = GraphConfig(robot="metaworld", checkpoint=str(broken), sim=True, enable_control=True)
    with pytest.raises(DemoError, match="surprise"):
        run_plan(plan(output, CLOSED_DRAWER), describe(config), lambda event: None)


def test_unknown_task_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown task 'juggle'; the tasks are: reach"):
        make_plan("reach,juggle", 0, 1, 8.0, 1.0, tmp_path)


def test_all_ten_instructions_by_default_with_the_same_seeds_for_each(tmp_path: Path) -> None:
    episodes = make_plan("", 3, 2, 8.0, 1.0, tmp_path).episodes
    assert len({episode.task for episode in episodes}) == 10 and len(episodes) == 20
    assert {episode.seed for episode in episodes} == {3, 4}


def test_given_checkpoint_is_taken_as_it_is() -> None:
    assert choose_checkpoint("/somewhere") == "/somewhere"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_operator_rescues_a_disturbed_episode_and_the_recording_becomes_a_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = GraphConfig(
        robot="metaworld",
        checkpoint=str(shared_path("checkpoints/mt10")),
        sim=True,
        enable_control=True,
        task=RESCUE.task,
        real_time_factor=0.2,  # else a busy machine answers so late that the first chunk opens the drawer
        record=True,
        episodes=str(fresh_folder(tmp_path / "episodes")),
        teleop="scripted",
        settings=NODE_SETTINGS,
    )
    limits = {"time_limit_s": 8.0, "wall_limit_s": 200.0}
    planned = DemoPlan(episodes=(RESCUE,), **limits, output=str(tmp_path), record=True)
    outcome = run_plan(planned, describe(config), lambda _event: None)
    (result,) = outcome.results
    assert result.ending.startswith("solved by the operator; stopped by the monitor")
    assert finish(outcome, describe(config), tmp_path, required=0) == 0
    printed = capsys.readouterr().out
    assert "1 of 1 episodes exported" in printed and "timeline.png" in printed
    episode = read_episode(tmp_path / result.bag)
    assert episode.outcome is Outcome.SUCCESS and len(episode.human_intervals_ns) >= 1
    human_s = sum(last - first for first, last in episode.human_intervals_ns) * 1e-9
    assert human_s == pytest.approx(result.human_s, abs=0.1)
    modes = read_dataset(tmp_path / "dataset").control_modes
    assert modes is not None and set(modes.tolist()) == {0, 1}
    assert matplotlib.image.imread(tmp_path / "timeline.png").shape[2] == 4
