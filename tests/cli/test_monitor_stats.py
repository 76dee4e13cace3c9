# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm monitor-stats` prints, writes and draws, and refuses wrong files in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from helpers.places import ASSETS
from lbm_policy_node.cli.main import main

ROLLOUTS = ASSETS / "pi0_libero10_rollouts"
FILES = [str(ROLLOUTS / f"task_{task}.csv") for task in (2, 4)]
QUICK = ["--splits", "2", "--resamples", "3"]
HEADER = "episode_id,success,replan,mse\n"


def _run(*arguments: object):
    return CliRunner().invoke(main, ["monitor-stats", *map(str, arguments)])


@pytest.mark.slow
def test_it_prints_a_table_and_writes_figures_and_picture(tmp_path):
    figures, picture = tmp_path / "new" / "stats.json", tmp_path / "new" / "stats.png"
    result = _run(*FILES, *QUICK, "--json", figures, "--plot", picture)
    assert result.exit_code == 0, result.output
    assert "score chunk_mse" in result.output
    assert "AUROC, time-matched" in result.output
    content = json.loads(figures.read_text())
    assert content["files"] == ["task_2.csv", "task_4.csv"]
    assert content["config"] == {"splits": 2, "resamples": 3, "seed": 0}
    scores = content["scores"]["chunk_mse"]
    assert scores["tasks"]["task_2"]["failures"] == 21
    assert set(scores["alarms"]) == {"0.05", "0.1"}
    assert f"{scores['auroc']['end']['cusum']['pooled']['value']:.3f}" in result.output
    with Image.open(picture) as image:
        assert image.width > 1000
        assert np.asarray(image.convert("RGB")).std() > 10


@pytest.mark.slow
def test_every_score_column_is_reported(tmp_path):
    path = tmp_path / "door.csv"
    random = np.random.default_rng(0)
    rows = [f"{e},{int(e > 3)},{r},{random.random()},{random.random()}" for e in range(12) for r in range(5)]
    path.write_text("episode_id,success,replan,kl,mmd\n" + "\n".join(rows))
    result = _run(path, *QUICK, "--alpha", "0.2", "--plot", tmp_path / "two.png")
    assert result.exit_code == 0, result.output
    assert "score kl\n" in result.output
    assert "score mmd\n" in result.output
    assert "at alpha 0.2" in result.output
    assert "at alpha 0.05" not in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "door.csv is empty"),
        ("episode_id,replan,mse\n", "success must be among them"),
        (HEADER + "0,1,0,0\n0,1,1,nan\n", "line 3, column 'mse': 'nan'; expected a finite number"),
        (HEADER + "0,1,0,0\n0,1,1,inf\n", "line 3, column 'mse': 'inf'; expected a finite number"),
        (HEADER + "0,1,0,0\n0,1,0,1\n", "line 3, column 'replan': 0; expected 1"),
        (HEADER + "0,1,0,0\n0,0,1,1\n", "line 3, column 'success': '0'; expected 1"),
        (HEADER + "0,1,0,0\n0,1,1,1\n", "1 of 1 episodes succeeded: it takes both kinds"),
        (HEADER + "0,1,0,0\n0,1,1,2\n1,0,0,0\n1,0,1,2\n", "score 'mse' is 2 at each"),
        (HEADER + "0,1,0,0\n1,0,0,0\n", "no success has a second replan"),
    ],
)
def test_a_wrong_file_ends_in_one_line(tmp_path, text, message):
    path = tmp_path / "door.csv"
    path.write_text(text)
    result = _run(path, *QUICK)
    assert result.exit_code == 1
    assert message in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1


def test_two_files_of_one_name_are_refused(tmp_path):
    copy = tmp_path / "task_2.csv"
    copy.write_text(Path(FILES[0]).read_text())
    result = _run(*FILES, copy)
    assert result.exit_code == 1
    assert "have one name, and the name is the task" in result.output


def test_files_with_different_scores_are_refused(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(HEADER + "0,1,0,0\n0,1,1,1\n")
    result = _run(FILES[0], other)
    assert result.exit_code == 1
    assert "other.csv has the scores ['mse']" in result.output


@pytest.mark.parametrize(
    "wrong", [["--alpha", "0"], ["--alpha", "1"], ["--splits", "0"], ["--seed", "-1"], []]
)
def test_impossible_options_are_refused(wrong):
    result = _run(*(FILES if wrong else []), *wrong)
    assert result.exit_code == 2
    assert "Usage:" in result.output
