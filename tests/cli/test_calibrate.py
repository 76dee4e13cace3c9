# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""lbm calibrate on small made-up recordings of the shipped checkpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from helpers.builders import STEP_NS, make_chunk
from lbm_policy_node.cli.main import main
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.data.episodes.chunk_episodes import write_episode
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.scale import ActionScale
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.action_statistics import read_action_std
from lbm_policy_node.policies.checkpoint.files import file_id

CHECKPOINT = shared_path("checkpoints/mt10")


def _episode(seed: int, *, success: bool = True, checkpoint_id: str = "") -> ChunkEpisode:
    random = np.random.default_rng(seed)
    chunks = []
    for number in range(int(random.integers(3, 7))):
        samples = 0.02 * random.normal(size=(3, 16, 4))
        stamp_ns = 10**18 + number * 4 * STEP_NS
        chunks.append(
            make_chunk(
                samples=samples,
                chunk_id=number + 1,
                observation_stamp_ns=stamp_ns,
                checkpoint_id=checkpoint_id or file_id(CHECKPOINT / "model.safetensors"),
                instruction="open the door",
                stochastic=True,
                index=number,
                execution_horizon=4,
            )
        )
    return ChunkEpisode(
        episode_id=f"door-{seed}",
        task="door-open",
        success=success,
        success_ns=chunks[-1].observation_stamp_ns if success else None,
        chunks=tuple(chunks),
    )


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for seed in range(12):
        write_episode(_episode(seed), tmp_path / "recordings" / f"{seed}.chunks.npz")
    return tmp_path / "recordings"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["calibrate", *map(str, arguments)])


def test_calibration_is_written_and_explained(recordings, tmp_path):
    write_episode(_episode(20, success=False), recordings / "more" / "20.chunks.npz")
    write_episode(_episode(21, checkpoint_id="ffff"), recordings / "more" / "21.chunks.npz")
    file = tmp_path / "monitor.json"
    result = run(recordings, "--checkpoint", CHECKPOINT, "--out", file)
    assert result.exit_code == 0, result.output
    for line in (
        "12 successes until success, K = 3, horizon 16, execution horizon 4",
        "WARN (alpha 0.1): score:energy above",
        "WARN (alpha 0.1): time_limit is not armed",
        "STOP (alpha 0.02) is NOT ARMED: 12 successes, 49 are needed",
        "left out, 1 failed: door-20",
        "left out, 1 unusable (foreign: checkpoint is ffff, expected d7234a1213e33c8d): door-21",
        f"written to {file}",
    ):
        assert line in result.output
    calibration = Calibration.load(file)
    assert calibration.checkpoint_id == file_id(CHECKPOINT / "model.safetensors")
    rms = np.sqrt((read_action_std(CHECKPOINT) ** 2).mean(axis=0))[:3]
    expected = ActionScale(("x", "y", "z"), tuple(rms.tolist()))
    assert calibration.scale == expected, "the gripper is left out, the rows are joined"


def test_choices_reach_the_calibration(recordings, tmp_path):
    file, one = tmp_path / "m.json", recordings / "0.chunks.npz"
    options = ("--score", "energy", "--statistic", "max", "--until", "end", "--warn-alpha", 0.3)
    result = run(
        recordings, one, "--checkpoint", CHECKPOINT, "--out", file, *options, "--max-overlap-steps", 5
    )
    assert result.exit_code == 0, result.output
    back = Calibration.load(file)
    assert (back.score.name, back.statistic, back.episodes.until) == ("energy", "max", "end")
    assert (back.levels["warn"].alpha, back.max_overlap_steps) == (0.3, 5)
    assert "1 unusable (another episode has the same name): door-0" in result.output


def test_only_failures_allow_no_calibration(tmp_path):
    write_episode(_episode(1, success=False), tmp_path / "1.chunks.npz")
    result = run(tmp_path, "--checkpoint", CHECKPOINT, "--out", tmp_path / "monitor.json")
    assert result.exit_code == 1
    assert "no episode can calibrate: 1 failed, 0 unusable" in result.output
    assert not (tmp_path / "monitor.json").exists()


def test_weightless_policy_has_no_scale(recordings):
    result = run(recordings, "--checkpoint", shared_path("checkpoints/weightless"))
    assert result.exit_code == 1
    assert "'weightless', which has no action statistics" in result.output


def test_folder_without_episodes_and_a_damaged_file_are_named(recordings, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty", "--checkpoint", CHECKPOINT)
    assert result.exit_code == 1 and "holds no episodes" in result.output
    (recordings / "3.chunks.npz").write_bytes(b"PK")
    result = run(recordings, "--checkpoint", CHECKPOINT, "--out", tmp_path / "m.json")
    assert result.exit_code == 1 and "3.chunks.npz is no file of action chunks" in result.output


def test_impossible_alpha_is_a_usage_error(recordings):
    result = run(recordings, "--checkpoint", CHECKPOINT, "--stop-alpha", 0.5)
    assert result.exit_code == 2 and "0 < stop_alpha <= warn_alpha < 1" in result.output


def test_score_that_does_not_vary_is_refused_by_name(tmp_path):
    for seed in range(3):
        episode = _episode(seed)
        still = [
            dataclasses.replace(c, samples=np.zeros((3, 16, 4)), actions=np.zeros((16, 4)))
            for c in episode.chunks
        ]
        write_episode(dataclasses.replace(episode, chunks=tuple(still)), tmp_path / f"{seed}.chunks.npz")
    result = run(tmp_path, "--checkpoint", CHECKPOINT, "--out", tmp_path / "m.json")
    assert result.exit_code == 1
    assert "score 'energy' is 0 at each of" in result.output
