# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A small dataset with a simple rule: the hand moves towards where the picture is bright."""

import numpy as np
import pytest

from lbm_policy_node.data.datasets.dataset_reader import read_dataset
from lbm_policy_node.data.datasets.dataset_writer import DatasetWriter
from lbm_policy_node.data.datasets.features import Features
from lbm_policy_node.training.config import ModelSize

STATE_NAMES, ACTION_NAMES = ("x", "y", "z", "opening"), ("x", "y", "z", "gripper")
CAMERA = "observation.images.front"
LENGTHS = (12, 20, 9, 15)


def episode(rng, length):
    """One episode: a random walk, the action one step ahead, and a picture whose side tells the way."""
    state = np.cumsum(rng.normal(0, 0.01, (length + 1, 4)), axis=0).astype(np.float32)
    images = np.zeros((length, 32, 32, 3), np.uint8)
    images[state[1:, 0] > state[:-1, 0], :, 16:] = 255
    return state[:-1], state[1:].copy(), images


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("datasets") / "walk"
    features = Features(
        vectors={"observation.state": STATE_NAMES, "action": ACTION_NAMES}, cameras={CAMERA: (32, 32)}
    )
    rng = np.random.default_rng(0)
    with DatasetWriter(root, features, fps=20, robot_type="test") as writer:
        for number, length in enumerate(LENGTHS):
            state, action, images = episode(rng, length)
            vectors = {"observation.state": state, "action": action}
            writer.add_episode(vectors, {CAMERA: images}, ("walk", "run")[number % 2])
    return read_dataset(root)


@pytest.fixture(scope="session")
def tiny():
    """A model that trains in milliseconds."""
    return ModelSize(
        horizon=8,
        n_action_steps=4,
        hidden_dim=32,
        layers=1,
        heads=2,
        timestep_dim=16,
        vision_width=32,
        vision_layers=1,
        vision_heads=2,
        vision_patch=14,
        image_crop=28,
        text_width=16,
        text_layers=1,
        text_length=12,
        sampling_steps=4,
    )
