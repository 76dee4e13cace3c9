# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm export`: many episodes into one dataset, again and again, with what stands in the way named."""

import shutil

import pytest
from click.testing import CliRunner

from helpers.episode_maker import make_episode
from lbm_policy_node.cli.main import main
from lbm_policy_node.data.datasets.dataset_contents import DatasetContents
from lbm_policy_node.data.datasets.dataset_reader import read_dataset
from lbm_policy_node.data.datasets.export import ExportError, ExportSettings
from lbm_policy_node.data.datasets.export_run import ExportRun, Status, find_episodes
from lbm_policy_node.data.episodes.episode_records import EventKind
from lbm_policy_node.paths import shared_path

ENDS = {"a": EventKind.SUCCESS, "b": EventKind.FAILURE, "c": None, "d": EventKind.DISCARDED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("episodes")
    for name, outcome in ENDS.items():
        make_episode(folder / name, seconds=0.8, outcome=outcome)
    return folder


def export(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def ids(root):
    contents = DatasetContents.read(root)
    return [contents.sources[i]["episode_id"] for i in range(len(contents.episodes))]


@pytest.mark.parametrize(("only", "expected"), [("all", "abc"), ("labelled", "ab"), ("success", "a")])
def test_outcomes_are_chosen_and_the_discarded_never(folder, tmp_path, only, expected):
    result = export(folder, "--out", tmp_path / "set", "--only", only)
    assert result.exit_code == 0, result.output
    assert ids(tmp_path / "set") == list(expected)
    assert "d skipped: its outcome is discarded" in result.output
    assert f"{len(expected)} exported, {4 - len(expected)} skipped, 0 refused" in result.output


def test_what_is_in_the_dataset_is_not_exported_again(folder, tmp_path):
    export(folder / "b", "--out", tmp_path / "set")
    result = export(folder, folder / "a", "--out", tmp_path / "set")
    assert "b skipped: is episode 0 of the dataset" in result.output
    assert ids(tmp_path / "set") == ["b", "a", "c"]
    assert len(read_dataset(tmp_path / "set")) == sum(
        row["length"] for row in DatasetContents.read(tmp_path / "set").episodes
    )


def test_one_bad_episode_does_not_stop_the_others(folder, tmp_path):
    episodes = tmp_path / "episodes"
    shutil.copytree(folder / "a", episodes / "a")
    make_episode(episodes / "blind", seconds=0.5, leave_out=("/camera/front/image_raw",))
    shutil.copytree(folder / "b", episodes / "killed")
    (episodes / "killed/metadata.yaml").unlink()
    result = export(episodes, "--out", tmp_path / "set")
    assert result.exit_code == 1
    assert "blind refused" in result.output and "/camera/front/image_raw" in result.output
    assert "killed refused" in result.output and "lbm episodes repair" in result.output
    assert ids(tmp_path / "set") == ["a"]


def test_an_interrupted_export_goes_on_without_encoding_again(folder, tmp_path):
    run = ExportRun(tmp_path / "set", ExportSettings(), on_time=lambda _: None)
    (first,) = run.export([folder / "a"])
    assert first.status is Status.EXPORTED
    del run  # killed before it closed
    result = export(folder, "--out", tmp_path / "set")
    assert "a exported" in result.output and "encoded already before an interruption" in result.output
    assert ids(tmp_path / "set") == ["a", "b", "c"]
    assert not (tmp_path / "set/.staging").exists()


def test_another_window_is_encoded_again(folder, tmp_path):
    run = ExportRun(tmp_path / "set", ExportSettings(), on_time=lambda _: None)
    list(run.export([folder / "a"]))
    del run
    result = export(folder / "a", "--out", tmp_path / "set", "--pre-intervention", "0.5")
    assert "before an interruption" not in result.output and result.exit_code == 0


def test_another_robot_or_dataset_is_refused_by_name(folder, tmp_path):
    text = shared_path("config/robots/metaworld.yaml").read_text().replace("step_s: 0.05", "step_s: 0.1")
    (tmp_path / "slow.yaml").write_text(text)
    slow = make_episode(tmp_path / "episodes/slow", seconds=0.8, spec=tmp_path / "slow.yaml", replan_steps=4)
    result = export(folder / "a", slow, "--out", tmp_path / "set")
    assert "slow refused" in result.output and "fps: 20 there, 10 here" in result.output
    assert ids(tmp_path / "set") == ["a"]
    result = export(slow, "--out", tmp_path / "set")
    assert result.exit_code == 1 and "fps: 20 there, 10 here" in result.output


def test_a_rate_that_the_format_cannot_express_is_named(tmp_path):
    text = shared_path("config/robots/metaworld.yaml").read_text().replace("step_s: 0.05", "step_s: 0.03")
    (tmp_path / "odd.yaml").write_text(text)
    odd = make_episode(tmp_path / "e/odd", seconds=0.5, spec=tmp_path / "odd.yaml", infer=None)
    result = export(odd, "--out", tmp_path / "set")
    assert result.exit_code == 1 and "33.333 steps per second" in result.output
    assert not (tmp_path / "set").exists()


def test_a_folder_without_episodes_is_named(tmp_path):
    with pytest.raises(ExportError, match="holds no recorded episode"):
        find_episodes([tmp_path])


def test_progress_covers_the_whole_recording(folder, tmp_path):
    done = []
    run = ExportRun(tmp_path / "set", ExportSettings(), on_time=done.append)
    reports = list(run.export([folder / "a"]))
    run.close()
    assert sum(done) == pytest.approx(reports[0].recorded_s) and min(done) >= 0
    assert len(done) > 10
