# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm replay`: exit codes, table, JSON and picture."""

import json

import pytest
from click.testing import CliRunner

from helpers.replay_maker import make_checkpoint, make_recording, perturb
from lbm_policy_node.cli.main import main
from lbm_policy_node.paths import shared_path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkpoint, the same perturbed, and two episodes of it."""
    folder = tmp_path_factory.mktemp("replay")
    checkpoint = make_checkpoint(folder / "tiny")
    perturbed = perturb(checkpoint, folder / "perturbed")
    first = make_recording(folder / "first", checkpoint, seconds=2.0, takeovers=((0.8, 1.6),))
    second = make_recording(folder / "second", checkpoint, seconds=0.6)
    return checkpoint, perturbed, first, second


def run(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


@pytest.mark.slow
def test_the_recorded_checkpoint_passes_and_everything_is_written(made, tmp_path):
    checkpoint, _, first, second = made
    report, picture = tmp_path / "report.json", tmp_path / "picture.png"
    result = run(first, second, "--checkpoint", checkpoint, "--json", report, "--plot", picture)
    assert result.exit_code == 0, result.output
    assert "PASS first" in result.output and "PASS second" in result.output
    episodes = json.loads(report.read_text())["episodes"]
    assert [episode["passed"] for episode in episodes] == [True, True]
    assert episodes[0]["chunks"][0]["difference"]["columns"] == [0.0] * 4
    assert episodes[0]["human"]["rows"] > 0 and episodes[1]["human"] is None
    for name in ("first", "second"):
        assert (tmp_path / f"picture-{name}.png").stat().st_size > 10_000


def test_another_checkpoint_fails_with_exit_code_1_beyond_the_tolerance(made, tmp_path):
    _, perturbed, first, _ = made
    result = run(first, "--checkpoint", perturbed, "--tolerance", "1e-4", "--plot", tmp_path / "one.png")
    assert result.exit_code == 1, result.output
    assert "FAIL first" in result.output and "the worst is chunk" in result.output
    assert (tmp_path / "one.png").exists()
    assert run(first, "--checkpoint", perturbed).exit_code == 0


def test_what_cannot_be_compared_has_exit_code_2(made, tmp_path):
    checkpoint, _, first, _ = made
    for arguments, word in [
        ((tmp_path / "nothing", "--checkpoint", checkpoint), "nothing"),
        ((first, "--checkpoint", tmp_path), "config.json"),
        ((first, "--checkpoint", shared_path("checkpoints/weightless")), "128x128"),
        ((first, "--checkpoint", checkpoint, "--robot", "none-such"), "none-such"),
        ((first, "--checkpoint", checkpoint, "--robot", "ur5e"), "does not fit"),
        ((first, "--checkpoint", checkpoint, "--device", "nonsense"), "nonsense"),
        ((first,), "--checkpoint FOLDER"),
    ]:
        result = run(*arguments)
        assert result.exit_code == 2 and word in result.output, result.output
        assert "Traceback" not in result.output


def test_a_robot_spec_can_be_given(made):
    checkpoint, _, first, _ = made
    result = run(first, "--checkpoint", checkpoint, "--robot", first / "robot.yaml")
    assert result.exit_code == 0, result.output
