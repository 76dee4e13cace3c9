# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Episodes for an evaluation: run, stored with what the expert could still do, and not run twice."""

import numpy as np
import pytest

from lbm_policy_node.assessment.protocol import PROGRESS, ProtocolConfig, Trial, trials
from lbm_policy_node.assessment.recording import RecordingConfig, record, run
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.data.episodes.chunk_episodes import read_episode
from lbm_policy_node.paths import shared_path
from lbm_policy_node.policies.load import load_policy
from lbm_policy_node.sim.evaluation import SPEC
from lbm_policy_node.sim.perturbations.catalogue import PERTURBATIONS
from lbm_policy_node.sim.robot import SimulatedRobot
from lbm_policy_node.sim.tasks import TASKS

CHECKPOINT = str(shared_path("checkpoints/mt10"))
CONFIG = RecordingConfig(checkpoint=CHECKPOINT, max_steps=16, n_samples=2, expert_steps=60)


@pytest.fixture(scope="module")
def robot(slow):
    robot = SimulatedRobot(TASKS["drawer-open"])
    yield robot
    robot.close()


def episode_of(robot: SimulatedRobot, trial: Trial, config: RecordingConfig = CONFIG):
    policy, spec = load_policy(CHECKPOINT, threads=1), RobotSpec.load(shared_path(SPEC))
    return run(trial, config, policy, spec, robot)


def test_a_protocol_shares_no_scene_between_its_conditions():
    listed = trials(ProtocolConfig(tasks=("drawer-open",)))
    assert len({trial.seed for trial in listed}) == len(listed)
    assert {trial.split for trial in listed} == {
        *("training", "calibration", "in_distribution"),
        *("erratic", "progress", "benign"),
    }
    assert {t.perturbation for t in listed if t.split == PROGRESS} == {
        name
        for name, entry in PERTURBATIONS.items()
        if entry.kind == PROGRESS and entry.applies_to(TASKS["drawer-open"])
    }


def test_an_unsolved_episode_says_from_which_chunks_the_expert_can_finish(robot):
    episode = episode_of(robot, Trial("in_distribution", "drawer-open", "", 7))
    needed = episode.meta["expert_steps"]
    assert not episode.success and len(episode.chunks) == len(needed) == 4
    assert all(0 < steps <= 60 for steps in needed)
    assert [chunk.index for chunk in episode.chunks] == [0, 1, 2, 3]
    assert episode.chunks[0].samples.shape == (2, 16, 4) and episode.chunks[0].embedding.size == 420
    assert np.diff(episode.reward_stamps_ns).tolist() == [50_000_000] * 15


def test_what_is_welded_stays_welded_for_the_expert(robot):
    episode = episode_of(robot, Trial("progress", "drawer-open", "welded", 7))
    assert episode.meta["expert_steps"] == [-1] * 4


def test_more_samples_leave_the_episode_as_it_is(robot):
    trial = Trial("in_distribution", "drawer-open", "", 7)
    few = episode_of(robot, trial, RecordingConfig(checkpoint=CHECKPOINT, max_steps=8, expert_steps=0))
    one = RecordingConfig(checkpoint=CHECKPOINT, max_steps=8, expert_steps=0, n_samples=1)
    for ours, theirs in zip(few.chunks, episode_of(robot, trial, one).chunks, strict=True):
        np.testing.assert_allclose(ours.actions, theirs.actions, atol=1e-4)


def test_latency_is_drawn_per_episode_and_an_episode_can_end_with_success(robot):
    config = RecordingConfig(checkpoint=CHECKPOINT, latency_steps=4, stop_at_success=True, n_samples=1)
    episode = episode_of(robot, Trial("calibration", "drawer-open", "", 3), config)
    assert episode.success and episode.success_ns is not None
    assert episode.until_success() == episode.chunks


@pytest.mark.slow
def test_recording_goes_on_where_it_stopped(tmp_path):
    wanted = [Trial("in_distribution", "drawer-open", "", seed) for seed in (1, 2, 3)]
    config = RecordingConfig(checkpoint=CHECKPOINT, max_steps=4, n_samples=1, expert_steps=0)
    assert sum(record(wanted[:2], config, tmp_path, processes=1)) == 2
    before = wanted[0].path(tmp_path).read_bytes()
    assert sum(record(wanted, config, tmp_path, processes=2)) == 1
    assert wanted[0].path(tmp_path).read_bytes() == before
    assert read_episode(wanted[2].path(tmp_path)).meta["seed"] == 3
