# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of another installed package, through the commands and the monitor, without a change to ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from helpers.outside_package import install
from lbm_policy_node.cli.main import main
from lbm_policy_node.core.episodes.chunk_episode import ChunkEpisode
from lbm_policy_node.core.plugins import SCORES
from lbm_policy_node.core.types import ActionChunk
from lbm_policy_node.data.episodes.chunk_episodes import write_episode
from lbm_policy_node.graph.monitor_choice import ON, choose_monitor
from lbm_policy_node.monitors.calibration.calibration import Calibration
from lbm_policy_node.monitors.columns import ScoredColumns
from lbm_policy_node.monitors.monitor import Monitor
from lbm_policy_node.monitors.scores.registry import make_score
from lbm_policy_node.monitors.scores.score import ScoreConfig
from lbm_policy_node.monitors.verdict import Level
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.checkpoint.files import file_id

CHECKPOINT = shared_path("checkpoints/mt10")
STEP_NS, WIDTH = 50_000_000, 5
JERK = """
    import numpy as np
    from lbm_policy_node.monitors.scores.score import Score

    class Jerk(Score):
        name = "jerk"
        min_samples = 1

        def __call__(self, pair):
            return float(np.square(np.diff(pair.current_values[0], 3, axis=0)).mean())
"""
NOVELTY = """
    import json
    import numpy as np
    from lbm_policy_node.monitors.scores.score import Score

    class Novelty(Score):
        name = "novelty"
        min_samples = 1
        needs_embedding = True
        files = ("novelty.json",)
        trainer = "outside_scores.training:train"

        def __init__(self, mean):
            self.mean = mean

        @classmethod
        def make(cls, config, folder):
            return cls(np.array(json.loads((folder / "novelty.json").read_text())))

        def __call__(self, pair):
            return float(np.square(pair.embedding - self.mean).sum())
"""
TRAINING = """
    import json
    import numpy as np

    def train(episodes, folder):
        seen = np.array([chunk.embedding for e in episodes if e.success for chunk in e.until_success()])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "novelty.json").write_text(json.dumps(seen.mean(axis=0).tolist()))
        return f"novelty trained on {len(seen)} chunks"
"""


def episode(seed: int) -> ChunkEpisode:
    random = np.random.default_rng(seed)
    chunks = []
    for number in range(5):
        samples = 0.02 * random.normal(size=(3, 16, 4))
        stamp_ns = 10**18 + number * 4 * STEP_NS
        chunks.append(
            ActionChunk(
                chunk_id=number + 1,
                observation_stamp_ns=stamp_ns,
                start_ns=stamp_ns + STEP_NS,
                step_ns=STEP_NS,
                actions=samples[0],
                samples=samples,
                action_names=("x", "y", "z", "gripper"),
                checkpoint_id=file_id(CHECKPOINT / "model.safetensors"),
                instruction="open the door",
                stochastic=True,
                index=number,
                execution_horizon=4,
                embedding=random.normal(size=WIDTH).astype(np.float32),
            )
        )
    end_ns = chunks[-1].observation_stamp_ns
    return ChunkEpisode(
        episode_id=f"door-{seed}", task="door-open", success=True, success_ns=end_ns, chunks=tuple(chunks)
    )


def calibrate(score: str, folder: Path, *arguments: object) -> Result:
    for seed in range(12):
        write_episode(episode(seed), folder / "recordings" / f"{seed}.chunks.npz")
    options = ("--checkpoint", CHECKPOINT, "--score", score, "--out", folder / "monitor.json")
    given = ["calibrate", folder / "recordings", *options, *arguments]
    return CliRunner().invoke(main, [str(argument) for argument in given])


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path, package: str, source: str, **scores: str) -> None:
    entries = {name: f"{package}.score:{attribute}" for name, attribute in scores.items()}
    install(monkeypatch, folder / "site", package, {"score": source}, {SCORES: entries})


def test_a_trained_score_of_another_package_calibrates_and_judges(monkeypatch, tmp_path):
    modules = {"novelty": NOVELTY, "training": TRAINING}
    entry = {SCORES: {"novelty": "outside_scores.novelty:Novelty"}}
    install(monkeypatch, tmp_path / "site", "outside_scores", modules, entry)
    for seed in range(100, 104):
        write_episode(episode(seed), tmp_path / "more" / f"{seed}.chunks.npz")
    result = calibrate("novelty", tmp_path, "--train-on", tmp_path / "more")
    assert result.exit_code == 0, result.output
    assert "novelty trained on 20 chunks" in result.output
    assert "WARN (alpha 0.1): score:novelty above" in result.output

    asked = choose_monitor(ON, tmp_path)
    assert asked.send_embedding, "the graph asks the policy for what the score needs"
    calibration = Calibration.load(tmp_path / "monitor.json")
    columns = ScoredColumns(("x", "y", "z", "gripper"), (0, 1, 2))
    monitor = Monitor(columns, calibration, folder=tmp_path)
    first, second, *_ = episode(500).chunks
    assert monitor.update(first).level is Level.WARMING_UP
    verdict = monitor.update(second)
    seen = [c.embedding for seed in range(100, 104) for c in episode(seed).chunks]
    assert verdict.score == pytest.approx(np.square(second.embedding - np.mean(seen, axis=0)).sum(), rel=1e-5)
    bare = replace(episode(501).chunks[0], embedding=np.empty(0, np.float32))
    assert monitor.update(bare).level is Level.NOT_APPLICABLE


def test_a_score_of_another_package_is_measured_and_one_without_its_files_is_left_out(monkeypatch, tmp_path):
    modules = {"novelty": NOVELTY, "jerk": JERK}
    entries = {"novelty": "outside_bench.novelty:Novelty", "jerk": "outside_bench.jerk:Jerk"}
    install(monkeypatch, tmp_path, "outside_bench", modules, {SCORES: entries})
    result = CliRunner().invoke(main, ["bench-monitor", "--repeats", "1", "--samples", "8"])
    assert result.exit_code == 0, result.output
    measured = {line.split()[0] for line in result.output.splitlines()}
    assert "jerk" in measured and "novelty" not in measured


def test_training_episodes_for_a_score_that_is_not_trained_are_refused(monkeypatch, tmp_path):
    offer(monkeypatch, tmp_path, "outside_jerk", JERK, jerk="Jerk")
    assert calibrate("jerk", tmp_path).exit_code == 0
    result = calibrate("jerk", tmp_path, "--train-on", tmp_path / "recordings")
    assert result.exit_code == 1
    assert "the score 'jerk' is not trained; these are: ood_flow, energy_ood" in result.output


def test_a_score_with_the_name_of_ours_is_refused_and_ours_of_other_names_go_on(monkeypatch, tmp_path):
    offer(monkeypatch, tmp_path, "outside_energy", JERK, energy="Jerk")
    result = calibrate("energy", tmp_path)
    assert result.exit_code == 2
    assert "outside_energy.score:Jerk" in result.output and "must choose another" in result.output
    assert calibrate("overlap_error", tmp_path).exit_code == 0


@pytest.mark.parametrize(
    ("package", "source", "why"),
    [
        ("outside_broken", "import no_such_library", "No module named 'no_such_library'"),
        ("outside_alien", "class Jerk:\n    name = 'jerky'", "no subclass of Score"),
        ("outside_renamed", JERK, "calls itself 'jerk'; the two must be the same"),
    ],
)
def test_an_unusable_score_is_one_line(monkeypatch, tmp_path, package, source, why):
    offer(monkeypatch, tmp_path, package, source, jerky="Jerk")
    result = calibrate("jerky", tmp_path)
    assert result.exit_code in (1, 2)
    last = result.output.splitlines()[-1]
    assert last.startswith("Error:") and why in last
    with pytest.raises(ValueError, match=why):
        make_score(ScoreConfig("jerky"))
