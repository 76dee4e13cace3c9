# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every field of the JSON files of episodes and datasets comes back from the disk."""

import json

import numpy as np

from helpers.differing import assert_same_record, differing
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.data.datasets.staging import EpisodeStage, StagedEpisode
from lbm_policy_node.data.episodes.episode_header import ROLES, EpisodeHeader


def test_the_header_of_an_episode_comes_back(tmp_path):
    roles = {role: f"/cell/{role}" for role in ROLES}
    header = differing(EpisodeHeader, fixed=("format",), episode_id="e-7", roles=roles)
    header.write(tmp_path, "name: robot")
    assert_same_record(EpisodeHeader.read(tmp_path), header)


def test_the_features_of_a_dataset_come_back():
    features = differing(
        Features,
        vectors={"action": ("x", "y"), "observation.state": ("a",)},
        cameras={"observation.images.front": (48, 64), "observation.images.wrist": (32, 16)},
        scalars={"control_mode": "int64", "monitor.valid": "bool", "monitor.score": "float32"},
    )
    assert_same_record(Features.from_info(json.loads(json.dumps(features.to_info(20)))), features)


def test_a_staged_episode_comes_back(tmp_path):
    features = Features(vectors={"action": ("x", "y")}, cameras={}, scalars={"control_mode": "int64"})
    stage = EpisodeStage(tmp_path / "7", features, 20, {"step_s": 0.05})
    for _ in range(3):
        stage.push({})
    columns = {"action": np.array([[1.0, 2.0], [3.0, 4.5], [5.0, 7.0]]), "control_mode": np.array([0, 1, 1])}
    staged = stage.finish(columns, ["a", "b", "b"], {"bag": "e-7", "sha256": "ff"})
    back = StagedEpisode.load(tmp_path / "7")
    assert back is not None
    assert_same_record(back, staged)
    assert (back.source, back.settings, back.length) == ({"bag": "e-7", "sha256": "ff"}, {"step_s": 0.05}, 3)
    assert back.table().column("task").to_pylist() == ["a", "b", "b"]
