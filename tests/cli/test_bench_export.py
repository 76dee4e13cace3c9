# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm bench-export` measures and reports; how fast it is depends on the machine and is not judged here."""

import json

import pytest
from click.testing import CliRunner

from helpers.episode_maker import make_episode
from lbm_policy_node.bench.bench_export_run import ExportRate
from lbm_policy_node.cli.main import main


@pytest.mark.slow
def test_runs_are_reported_and_leave_nothing_behind(tmp_path):
    make_episode(tmp_path / "e/one", seconds=1.0)
    arguments = ["bench-export", str(tmp_path / "e"), "--runs", "2", "--json", str(tmp_path / "out.json")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("x real time  (1.0 s recorded") == 2 and "target 5 x" in result.stdout
    runs = json.loads((tmp_path / "out.json").read_text())["runs"]
    assert len(runs) == 2 and all(run["wall_s"] > 0 and run["cpu_s"] > 0 for run in runs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "out.json"]


def test_an_episode_that_cannot_be_exported_is_named(tmp_path):
    make_episode(tmp_path / "blind", seconds=0.3, leave_out=("/camera/front/image_raw",))
    result = CliRunner().invoke(main, ["bench-export", str(tmp_path)])
    assert result.exit_code == 1 and "was refused" in result.output and "front" in result.output


def test_the_rate_is_recording_over_wall_time():
    rate = ExportRate(recorded_s=20.0, wall_s=4.0, cpu_s=6.0, load=0.5)
    assert rate.times_real_time == pytest.approx(5.0)
