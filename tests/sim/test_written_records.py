# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every field of a demonstration's file and of the demo's plan comes back."""

import json
from dataclasses import asdict

import numpy as np

from helpers.differing import assert_same_record, differing
from lbm_policy_node.demo.demo_plan import DemoPlan, Episode, EpisodeResult
from lbm_policy_node.sim.collection import load, save
from lbm_policy_node.sim.demonstrations import Demonstration


def test_a_demonstration_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 255, (2, 4, 5, 3), dtype=np.uint8) for name in ("front", "wrist")}
    state, action = (rng.normal(size=(2, 4)).astype(np.float32) for _ in range(2))
    made = differing(Demonstration, images=images, state=state, action=action)
    save(made, tmp_path / "0.npz")
    (back,) = load([tmp_path / "0.npz"])
    assert_same_record(back, made)


def test_the_plan_of_the_demo_comes_back(tmp_path):
    plan = differing(DemoPlan, episodes=(differing(Episode), differing(Episode, task="door")))
    plan.write(tmp_path / "plan.json")
    assert_same_record(DemoPlan.read(tmp_path / "plan.json"), plan)


def test_a_result_of_the_demo_comes_back():
    result = differing(EpisodeResult)
    assert_same_record(EpisodeResult(**json.loads(json.dumps(asdict(result)))), result)
