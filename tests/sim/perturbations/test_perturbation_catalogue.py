# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Disturbances are drawn by name and seed, and leave no trace in the next episode."""

import copy

import numpy as np
import pytest

from lbm_policy_node.sim.demonstrations import proprio
from lbm_policy_node.sim.perturbations.catalogue import PERTURBATIONS, make_perturbations
from lbm_policy_node.sim.robot import Scene, SimulatedRobot
from lbm_policy_node.sim.tasks import TASKS

NAMES = list(PERTURBATIONS)
TASK_OF = {
    name: TASKS["drawer-open" if "drawer-open" in entry.tasks else "pick-place"]
    for name, entry in PERTURBATIONS.items()
}


def drawn(name, *, seed=5, task=None):
    return make_perturbations(name, task=task or TASK_OF[name], seed=seed, max_steps=80)


def trajectory(robot, seed, ticks=40):
    """Reported states, images and the true state of an episode of fixed commands."""
    robot.reset(Scene(seed=seed))
    record = []
    for tick in range(ticks):
        if tick % 10 == 0:
            record += [image.astype(float).ravel() for image in robot.images().values()]
        record += [proprio(robot), robot.environment.data.qpos.copy(), robot.privileged_observation]
        robot.tick([0.1, 0.7, 0.1], 1.0)
    return np.concatenate([*record, robot.environment._target_pos])


@pytest.fixture(scope="module")
def robots(slow):
    """A robot per task with the undisturbed episode of seed 2, which was its first."""
    made = {}
    for task in {task.name: task for task in TASK_OF.values()}.values():
        robot = SimulatedRobot(task, height=32, width=32)
        made[task.name] = robot, trajectory(robot, seed=2)
    yield made
    for robot, _ in made.values():
        robot.close()


@pytest.mark.parametrize("name", NAMES)
def test_disturbed_episode_leaves_no_trace_in_the_next(name, robots):
    robot, untouched = robots[TASK_OF[name].name]
    robot.perturbations = drawn(name).perturbations
    trajectory(robot, seed=1)
    robot.perturbations = ()
    np.testing.assert_array_equal(trajectory(robot, seed=2), untouched)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_disturbed_episode(name, robots):
    robot, _ = robots[TASK_OF[name].name]
    episodes = [drawn(name), drawn(name)]
    assert episodes[0].drawn == episodes[1].drawn
    assert (episodes[0].instruction, episodes[0].latency_steps) == (
        episodes[1].instruction,
        episodes[1].latency_steps,
    )
    runs = []
    for episode in episodes:
        robot.perturbations = episode.perturbations
        runs.append(trajectory(robot, seed=3))
    np.testing.assert_array_equal(runs[0], runs[1])


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"welded", "wrong_instruction"}))
def test_another_seed_draws_other_magnitudes(name):
    assert len({tuple(drawn(name, seed=seed).drawn.items()) for seed in range(8)}) > 2


@pytest.mark.parametrize("name", NAMES)
def test_hooks_can_be_copied_with_what_they_remember(name, robots):
    """A snapshot of an episode copies them."""
    robot, _ = robots[TASK_OF[name].name]
    robot.perturbations = drawn(name).perturbations
    trajectory(robot, seed=1, ticks=5)
    for hook, twin in zip(robot.perturbations, copy.deepcopy(robot.perturbations), strict=True):
        assert type(hook) is type(twin)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_applies_where_it_says(name):
    entry = PERTURBATIONS[name]
    assert entry.kind in ("erratic", "progress", "benign")
    assert entry.text
    for task in TASKS.values():
        if entry.applies_to(task):
            assert drawn(name, task=task) is not None
        else:
            with pytest.raises(ValueError, match="does not apply"):
                drawn(name, task=task)


def test_no_name_is_no_disturbance():
    episode = make_perturbations("", task=TASKS["reach"], seed=0, max_steps=80)
    assert (episode.perturbations, episode.instruction, episode.latency_steps) == ((), None, 0)


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="teleport"):
        make_perturbations("earthquake", task=TASKS["reach"], seed=0, max_steps=80)


@pytest.mark.parametrize("task", TASKS)
def test_wrong_instruction_is_anothers_and_the_opposite_where_there_is_one(task):
    given = {drawn("wrong_instruction", task=TASKS[task], seed=seed).instruction for seed in range(20)}
    assert TASKS[task].instruction not in given
    if task == "drawer-open":
        assert given == {"close the drawer"}
    if task == "reach":
        assert len(given) > 3


def test_latency_is_two_to_six_steps():
    assert {drawn("latency", seed=seed).latency_steps for seed in range(60)} == {2, 3, 4, 5, 6}


def test_teleport_happens_on_approach():
    steps = [drawn("teleport", seed=seed).drawn["at_step"] for seed in range(50)]
    assert min(steps) >= 3
    assert max(steps) <= 12
