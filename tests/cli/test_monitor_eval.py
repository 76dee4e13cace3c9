# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm monitor-eval and lbm calibrate --simulate, small but real."""

import json

import pytest
from click.testing import CliRunner

from lbm_policy_node.cli.main import main
from lbm_policy_node.paths import shared_path

CHECKPOINT = str(shared_path("checkpoints/mt10"))
SMALL = (
    "--task", "drawer-close", "--training", "2", "--calibration", "4", "--in-distribution", "2",
    "--erratic", "0", "--progress", "1", "--benign", "0", "--max-steps", "28", "--n-samples", "2",
    "--processes", "1",
)  # fmt: skip


@pytest.mark.slow
def test_an_evaluation_writes_a_table_a_json_and_pictures(tmp_path):
    done = CliRunner().invoke(main, ["monitor-eval", CHECKPOINT, *SMALL, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["modes"]["until_success"]["episodes"]["test"] == 2 + 3
    assert "energy_ood cusum or time limit" in (tmp_path / "report.txt").read_text()
    assert {"traces.png", "roc.png", "reliability.png", "perturbations.png"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.slow
def test_an_evaluation_without_a_solved_episode_says_so(tmp_path):
    arguments = ["monitor-eval", CHECKPOINT, *SMALL, "--max-steps", "4", "--out", str(tmp_path)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1 and "no solved episode to calibrate on" in done.output


@pytest.mark.slow
def test_calibration_from_simulation_names_what_is_not_armed(tmp_path):
    out = tmp_path / "monitor.json"
    arguments = ["calibrate", "--simulate", "3", "--task", "drawer-open", "--samples", "2", "--checkpoint",
                 CHECKPOINT, "--processes", "1", "--work", str(tmp_path), "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "WARN (alpha 0.1) is NOT ARMED: 3 successes, 9 are needed" in done.output
    assert json.loads(out.read_text())["n_samples"] == 2


@pytest.mark.parametrize("arguments", [(), ("--simulate", "3", ".")])
def test_calibration_wants_episodes_or_the_simulator(arguments):
    done = CliRunner().invoke(main, ["calibrate", "--checkpoint", CHECKPOINT, *arguments])
    assert done.exit_code == 2 and "either EPISODES or --simulate" in done.output
