# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The shipped checkpoint fits the simulated robot, is small, and solves what its card says."""

import json

import numpy as np
import pytest

from lbm_policy_node.core.spec.compatibility import spec_differences
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.sim.evaluation import Trial
from lbm_policy_node.sim.rollout import RolloutConfig, roll_out
from lbm_policy_node.sim.tasks import TASKS

FOLDER = shared_path("checkpoints/mt10")
LARGEST_BYTES = 12_000_000


@pytest.fixture(scope="module")
def policy():
    return load_policy(FOLDER)


@pytest.fixture(scope="module")
def spec():
    return RobotSpec.load(shared_path("config/robots/metaworld.yaml"))


def test_checkpoint_fits_the_simulated_robot(policy, spec):
    assert spec_differences(spec, policy.spec) == []


def test_checkpoint_is_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.safetensors")) < LARGEST_BYTES


def test_card_and_evaluation_belong_to_these_weights(policy):
    evaluation = json.loads((FOLDER / "eval.json").read_text())
    assert evaluation["checkpoint_id"] == policy.spec.checkpoint_id
    assert set(evaluation["tasks"]) == set(TASKS)
    assert policy.spec.checkpoint_id in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("task", ["drawer-open", "drawer-close"])
def test_a_solved_task_stays_solved(task, make_robot, policy, spec):
    """In two of three scenes; the third is run only where it decides."""
    robot, solved = make_robot(task, pixels=128), []
    for seed in range(3):
        scene = Trial(task, seed, False).scene
        result = roll_out(robot, policy, spec, scene, TASKS[task].instruction, RolloutConfig())
        solved.append(result.success)
        if sum(solved) == 2:
            break
    assert sum(solved) == 2, solved


def test_the_instruction_decides_in_one_scene(make_robot, policy, spec):
    moved = {}
    for task in ("drawer-open", "drawer-close"):
        robot, trial = make_robot(task, pixels=128), Trial(task, 1, True)
        robot.reset(trial.scene)
        before = robot.opening
        roll_out(robot, policy, spec, trial.scene, TASKS[task].instruction, RolloutConfig())
        moved[task] = robot.opening - before
    assert moved["drawer-open"] > 0.15
    assert moved["drawer-close"] < -0.15
    assert np.isfinite(list(moved.values())).all()
