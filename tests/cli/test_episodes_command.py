# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm episodes` tells what was recorded, draws it, and mends it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from helpers.episode_maker import make_episode
from helpers.foreign_bags import change_metadata
from lbm_policy_node.cli.main import main
from lbm_policy_node.data.episodes.episode import read_episode
from lbm_policy_node.data.episodes.episode_records import EventKind
from lbm_policy_node.data.episodes.episode_summary import STOP, WARN, EpisodeSummary, alarms
from lbm_policy_node.data.episodes.timeline import draw_timeline


def episodes(*arguments):
    return CliRunner().invoke(main, ["episodes", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("episodes")
    make_episode(folder / "good", seconds=2.0, takeovers=((0.5, 0.9), (1.2, 1.5)), stop_level_at_s=0.3)
    make_episode(folder / "lost", seconds=1.0, outcome=EventKind.FAILURE, instruction="put it down")
    make_episode(folder / "open", seconds=1.0, outcome=None, infer=None)
    return folder


def test_list_has_a_line_for_each_episode(folder):
    result = episodes("list", folder)
    assert result.exit_code == 0, result.output
    head, good, lost, unfinished = [line.split() for line in result.output.splitlines()]
    assert head == ["episode", "robot", "duration", "outcome", "human", "alarms", "instruction"]
    assert good[:5] == ["good", "metaworld_sawyer", "2.0", "s", "success"]
    assert good[5:12] == ["2", "x,", "0.7", "s", "1", "/", "1"]
    assert lost[4] == "failure" and lost[5:] == ["-", "-", "put", "it", "down"]
    assert unfinished[4] == "unknown"


def test_an_unfinished_episode_is_listed_and_repaired(folder, tmp_path):
    make_episode(tmp_path / "killed", seconds=0.5)
    (tmp_path / "killed/metadata.yaml").unlink()
    result = episodes("list", tmp_path)
    assert "killed" in result.output and "needs repair" in result.output
    assert f"1 of 1 need repair: lbm episodes repair '{tmp_path}'" in result.output
    result = episodes("repair", tmp_path)
    assert result.exit_code == 0 and "repaired" in result.output
    assert "need" not in episodes("list", tmp_path).output
    assert "whole" in episodes("repair", tmp_path / "killed").output


def test_an_episode_that_no_repair_helps_is_listed_as_unreadable(tmp_path):
    make_episode(tmp_path / "odd", seconds=0.3)
    (tmp_path / "odd/robot.yaml").write_text("name: [")
    result = episodes("list", tmp_path)
    assert result.exit_code == 0 and "unreadable" in result.output


def test_show_tells_turns_and_events(folder):
    result = episodes("show", folder / "good")
    assert result.exit_code == 0, result.output
    assert "human: 2 x, 0.70 s in all" in result.output
    assert "0.500 s to    0.888 s" in result.output
    assert "TAKEOVER by gamepad" in result.output and "SUCCESS by simulator" in result.output
    assert "160 /control_state" in result.output


def test_show_names_what_is_wrong(tmp_path):
    result = episodes("show", tmp_path)
    assert result.exit_code == 1 and "no recorded episode" in result.output


@pytest.mark.slow
def test_the_picture_shows_who_drove(folder, tmp_path):
    result = episodes("show", folder / "good", "--plot", tmp_path / "timeline.png")
    assert result.exit_code == 0, result.output
    picture = np.asarray(cv2.imread(str(tmp_path / "timeline.png")))[..., ::-1]

    def share(color):
        return (np.abs(picture.astype(int) - color).max(axis=2) <= 2).mean()

    assert share((0xFD, 0x8D, 0x3C)) > 0.005  # the operator
    assert share((0x6B, 0xAE, 0xD6)) > 0.01  # the policy
    assert share((0xCB, 0x18, 0x1D)) < 0.002  # no stop; an alarm's mark and a line only


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lost", "open"])
def test_every_kind_of_episode_can_be_drawn(folder, tmp_path, name):
    episode = read_episode(folder / name)
    assert draw_timeline(episode, tmp_path / "a.svg").stat().st_size > 10_000
    empty = replace(episode.ticks, stamps_ns=np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_timeline(replace(episode, ticks=empty), tmp_path / "b.png")


def test_alarms_are_counted_when_they_begin(folder):
    verdict = read_episode(folder / "good").verdicts[0]
    levels = [2, 3, 3, 4, 2, 5, 6, 4, 4, 3]
    verdicts = [replace(verdict, level=level, chunk_id=i) for i, level in enumerate(levels)]
    assert [v.chunk_id for v in alarms(verdicts, WARN)] == [1, 7]
    assert [v.chunk_id for v in alarms(verdicts, STOP)] == [3, 7]
    assert EpisodeSummary.read(folder / "good").stops == 1


def test_bad_episodes_never_stop_at_the_others(folder, tmp_path):
    """A bad episode of each kind before and after a good one: each is named, and the good one is served."""
    names = ["a", "b", "c", "d", "m", "x"]
    for name in names:
        make_episode(tmp_path / name, seconds=0.5)
    (tmp_path / "a/metadata.yaml").write_text("- [")
    (tmp_path / "b/b.mcap").unlink()
    change_metadata(tmp_path / "c", lambda metadata: metadata.update(custom_data={"dropped": "many"}))
    (tmp_path / "d/d.mcap").write_bytes(b"\x89MCAP0\r\n" + b"\xff" * 500)
    change_metadata(tmp_path / "x", lambda metadata: metadata.update(duration="long"))

    listed = episodes("list", tmp_path)
    assert listed.exit_code == 0, listed.output
    states = {line.split()[0]: line for line in listed.output.splitlines()[1:7]}
    assert list(states) == names
    assert all("needs repair" in states[name] for name in "adx")
    assert "unreadable" in states["b"] and "success" in states["c"] and "success" in states["m"]
    assert f"b: '{tmp_path / 'b' / 'b.mcap'}' is missing" in listed.output

    exported = CliRunner().invoke(main, ["export", str(tmp_path), "--out", str(tmp_path / "out")])
    assert exported.exit_code == 1, exported.output
    assert "m exported" in exported.output and "x refused" in exported.output

    mended = episodes("repair", tmp_path)
    assert mended.exit_code == 1
    assert "b.mcap' is missing" in mended.output and f"{tmp_path / 'x'}: repaired" in mended.output
    assert episodes("list", tmp_path).output.count("success") == 4
