# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Score files are read as they stand, and a wrong one is refused by file, line and column."""

import pytest

from lbm_policy_node.assessment.recorded_scores.score_files import ScoreFileError, read_scores

GOOD = "episode_id,success,replan,mse,kl\n7,1,0,,\n7,1,1,0.5,-1\n8,0,0,0,0\n8,0,1,2,3\n8,0,2,4,5\n"


def _file(tmp_path, text: str | bytes):
    path = tmp_path / "door-open.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_every_score_column_becomes_episodes_of_the_file_s_task(tmp_path):
    columns = read_scores(_file(tmp_path, GOOD))
    assert list(columns) == ["mse", "kl"]
    first, second = columns["kl"]
    assert (first.episode_id, first.group, first.success) == ("7", "door-open", True)
    assert (second.episode_id, second.group, second.success) == ("8", "door-open", False)
    assert first.scores.tolist() == [0.0, -1.0]
    assert second.compared.tolist() == [3.0, 5.0]


def test_steps_may_rise_by_any_amount_and_success_may_be_a_word(tmp_path):
    text = "step,score,success,episode_id\n0,,True,a\n8,1,true,a\n24,2,TRUE,a\n\n"
    (episode,) = read_scores(_file(tmp_path, text))["score"]
    assert episode.success
    assert episode.scores.tolist() == [0.0, 1.0, 2.0]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = _file(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert len(read_scores(path)["mse"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (GOOD, "", r"door-open\.csv is empty"),
        (GOOD, GOOD.splitlines()[0], "header and no rows"),
        ("episode_id,", "episode,", r"line 1: .*episode_id must be among them"),
        ("episode_id,success", "episode,solved", "episode_id and success must be among them"),
        ("replan", "time", "exactly one of replan and step"),
        ("mse", "step", "exactly one of replan and step"),
        ("mse", "kl", "names must differ"),
        ("mse", "", "not be empty"),
        ("7,1,1,0.5,-1", "7,1,1,nan,-1", r"line 3, column 'mse': 'nan'; expected a finite number"),
        ("7,1,1,0.5,-1", "7,1,1,0.5,-inf", r"line 3, column 'kl': '-inf'; expected a finite number"),
        ("7,1,1,0.5,-1", "7,1,1,1e999,-1", r"line 3, column 'mse': '1e999'; expected a finite"),
        ("7,1,1,0.5,-1", "7,1,1,,-1", r"line 3, column 'mse': ''; expected a number"),
        ("7,1,1,0.5,-1", "7,1,1,low,-1", r"line 3, column 'mse': 'low'; expected a number"),
        ("7,1,0,,", "7,1,0,nan,", r"line 2, column 'mse': 'nan'"),
        ("7,1,1,0.5,-1", "7,1,1,0.5", "line 3 has 4 values, the header 5"),
        ("7,1,1,0.5,-1", "7,0,1,0.5,-1", r"line 3, column 'success': '0'; expected 1 as in the rows before"),
        ("7,1,0,,", "7,yes,0,,", r"line 2, column 'success': 'yes'; expected 0 or 1"),
        ("7,1,0,,", ",1,0,,", r"line 2, column 'episode_id': ''"),
        ("7,1,0,,", "7,1,1,,", r"line 2, column 'replan': 1; expected 0, the next of episode '7'"),
        ("8,0,1,2,3", "8,0,2,2,3", r"line 5, column 'replan': 2; expected 1, the next of episode '8'"),
        ("8,0,2,4,5", "8,0,1,4,5", r"line 6, column 'replan': 1; expected 2"),
        ("8,0,1,2,3", "8,0,-1,2,3", r"line 5, column 'replan': '-1'; expected a whole number"),
        ("8,0,1,2,3", "8,0,1.5,2,3", r"line 5, column 'replan': '1.5'"),
        ("8,0,2,4,5", "7,1,2,4,5", r"line 6, column 'episode_id': '7'; expected the rows of an episode"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_column(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(ScoreFileError, match=message) as refused:
        read_scores(_file(tmp_path, GOOD.replace(old, new, 1)))
    assert "door-open.csv" in str(refused.value)


def test_steps_that_do_not_rise_are_refused(tmp_path):
    with pytest.raises(ScoreFileError, match=r"line 3, column 'step': 5; expected more than 5"):
        read_scores(_file(tmp_path, "episode_id,success,step,s\n1,1,5,0\n1,1,5,0\n"))


def test_a_file_without_scores_is_refused(tmp_path):
    with pytest.raises(ScoreFileError, match="at least one score"):
        read_scores(_file(tmp_path, "episode_id,success,step\n1,1,0\n"))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00bad", b'a,"b\n', b""])
def test_what_is_no_csv_is_refused(tmp_path, content):
    with pytest.raises(ScoreFileError, match="door-open"):
        read_scores(_file(tmp_path, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ScoreFileError, match=r"gone\.csv"):
        read_scores(tmp_path / "gone.csv")
