# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot team's folder of episodes as regression tests: in a pytest of its own, as the team runs it."""

import os
import subprocess
import sys

import pytest

from helpers.places import ROOT
from helpers.replay_maker import make_recording
from lbm_policy_node.testing import assert_replays, replay_episode
from lbm_policy_node.testing.plugin import find_episodes

TEST = """
from lbm_policy_node.testing import assert_replays

def test_the_policy_answers_as_recorded(recorded_episode, lbm_checkpoint):
    assert_replays(recorded_episode, lbm_checkpoint)
"""
LIGHT = """
import sys

def test_nothing_heavy_was_imported_for_us():
    heavy = {"torch", "rclpy", "numpy", "rosbags", "matplotlib"} & set(sys.modules)
    assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def team(slow, checkpoint, tmp_path_factory):
    """A folder with a test and two episodes."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "test_episodes.py").write_text(TEST)
    for name, seconds in (("drawer", 1.0), ("door", 0.6)):
        make_recording(folder / "episodes" / name, checkpoint, seconds=seconds)
    return folder


def run(folder, *arguments):
    """Run pytest without this repository's settings."""
    command = [sys.executable, "-m", "pytest", "-p", "lbm_policy_node.testing.plugin", "-v", "-rs"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", "OMP_NUM_THREADS": "1"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of others take a second to import
    done = subprocess.run(
        [*command, "--rootdir", str(folder), "-c", os.devnull, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_recorded_checkpoint_passes_on_every_episode(team, checkpoint):
    code, output = run(team, "--lbm-episodes", "episodes", "--lbm-checkpoint", checkpoint)
    assert code == 0, output
    assert "[door] PASSED" in output and "[drawer] PASSED" in output


def test_perturbed_weights_fail_with_chunk_and_column(team, perturbed):
    code, output = run(team, "--lbm-episodes", "episodes", "--lbm-checkpoint", perturbed)
    assert code == 1 and "2 failed" in output, output
    assert "the worst is chunk" in output and "column '" in output


@pytest.mark.slow
def test_without_options_the_tests_are_skipped_and_nothing_heavy_is_imported(tmp_path):
    (tmp_path / "test_episodes.py").write_text(TEST)
    (tmp_path / "test_light.py").write_text(LIGHT)
    code, output = run(tmp_path)
    assert code == 0 and "give --lbm-episodes FOLDER" in output, output
    assert "1 passed, 1 skipped" in output, output


def test_a_folder_without_episodes_is_an_error(team, checkpoint):
    code, output = run(team, "--lbm-episodes", "nothing", "--lbm-checkpoint", checkpoint)
    assert code != 0 and "no recorded episode in" in output, output
    with pytest.raises(pytest.UsageError, match="no recorded episode in"):
        find_episodes(team)  # they are one folder deeper


@pytest.mark.slow
def test_limits_can_be_given(recording, checkpoint, perturbed):
    report = replay_episode(recording, perturbed)
    assert_replays(recording, perturbed, tolerance=2.0 * report.largest_difference, max_human_error=1.0)
    assert_replays(str(recording), str(checkpoint))
    with pytest.raises(AssertionError, match=r"(?s)rescued with checkpoint .*MMD"):
        assert_replays(recording, perturbed, tolerance=None, max_mmd=0.0)
