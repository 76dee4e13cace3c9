# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot acts like one behind a controller; its scenes are what evaluation assumes."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.builders import make_chunk
from lbm_policy_node.core.execution.chunk_executor import ChunkExecutor
from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.paths import shared_path
from lbm_policy_node.sim.demonstrations import TICKS_PER_STEP, DemonstrationConfig, demonstrate
from lbm_policy_node.sim.experts import ScriptedExpert
from lbm_policy_node.sim.robot import MAX_STEP_M, Scene
from lbm_policy_node.sim.rollout import RolloutConfig, roll_out
from lbm_policy_node.sim.tasks import TASKS, task_named

STILL = DemonstrationConfig(noise_m=0.0, start_offset_m=0.0)


@pytest.fixture(scope="module")
def demonstrations():
    return {}


@pytest.fixture
def demonstration(demonstrations, make_robot):
    """What the expert demonstrates in the scene of seed 0, made once, because its pictures take a second."""

    def make(name):
        if name not in demonstrations:
            expert = ScriptedExpert(TASKS[name])
            demonstrations[name] = demonstrate(make_robot(name), expert, Scene(seed=0), STILL)
        return demonstrations[name]

    return make


def solve(robot, seed):
    """Let the expert act, without pictures."""
    robot.reset(Scene(seed=seed))
    expert = ScriptedExpert(robot.task)
    while not robot.success and robot.ticks < STILL.max_steps * TICKS_PER_STEP:
        robot.tick_by(*expert.act(robot))
    return robot.success


@pytest.mark.parametrize("name", TASKS)
def test_scripted_expert_demonstrates_every_task(name, demonstration):
    assert demonstration(name) is not None


@pytest.mark.parametrize("name", TASKS)
def test_scripted_expert_solves_another_scene_of_every_task(name, make_robot):
    assert solve(make_robot(name), seed=1)


def test_same_seed_gives_the_same_scene_and_another_seed_another(make_robot):
    robot = make_robot("drawer-open")
    pictures = []
    for seed in (3, 3, 4):
        robot.reset(Scene(seed=seed, start_offset_m=0.05))
        pictures.append(robot.images()["front"])
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize(("one", "other"), [("drawer-open", "drawer-close"), ("window-open", "window-close")])
def test_half_open_scene_looks_the_same_whatever_will_be_asked(one, other, make_robot):
    views = []
    for name in (one, other):
        robot = make_robot(name)
        robot.reset(Scene(seed=7, ajar=0.5))
        views.append((robot.images(), robot.position, robot.opening))
    for camera in ("front", "wrist"):
        np.testing.assert_array_equal(views[0][0][camera], views[1][0][camera])
    np.testing.assert_allclose(views[0][1], views[1][1], atol=1e-9)
    assert views[0][2] == pytest.approx(0.5, abs=0.02)


def test_controller_moves_at_most_one_centimetre_per_axis_and_tick(make_robot):
    robot = make_robot("reach")
    robot.reset(Scene(seed=0))
    before = robot.commanded_position
    robot.tick(np.add(before, (0.3, -0.3, 0.004)), -1.0)
    np.testing.assert_allclose(robot.commanded_position - before, [MAX_STEP_M, -MAX_STEP_M, 0.004], atol=1e-9)


def test_success_is_cleared_by_reset(make_robot):
    robot = make_robot("reach")
    assert solve(robot, seed=0)
    robot.reset(Scene(seed=1))
    assert not robot.success


def test_only_scenes_with_a_sliding_part_can_be_half_open(make_robot):
    with pytest.raises(ValueError, match="no drawer or window"):
        make_robot("reach").reset(Scene(seed=0, ajar=0.5))


def test_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="drawer-open"):
        task_named("fold-laundry")


def small_spec(pixels: int = 32) -> RobotSpec:
    """The simulated robot's spec with the pictures of ``make_robot``."""
    spec = RobotSpec.load(shared_path("config/robots/metaworld.yaml"))
    images = {key: replace(image, height=pixels, width=pixels) for key, image in spec.images.items()}
    return replace(spec, images=images)


class RecordedPolicy:
    """Plays a recorded demonstration as chunks, as a perfect policy would."""

    def __init__(self, spec, action):
        self.spec, self._action, self._step = spec, action, 0

    def infer(self, history, *, n_samples=1, seed=0, prefix=None):
        rows = np.minimum(np.arange(self._step, self._step + 16), len(self._action) - 1)
        self._step += 8
        return self._action[rows][None].astype(float)


@pytest.mark.parametrize("name", ["drawer-open", "pick-place", "door-open"])
def test_recorded_actions_solve_the_task_through_the_executor(name, demonstration, make_robot, policy_spec):
    """Holds only if the recorded action, the spec's lead and the executor agree about time."""
    robot, spec = make_robot(name), small_spec()
    demo = demonstration(name)
    assert demo is not None
    policy = RecordedPolicy(policy_spec, demo.action)
    result = roll_out(robot, policy, spec, Scene(seed=0), TASKS[name].instruction, RolloutConfig())
    assert result.success, result
    assert result.refused == ()


def test_late_chunks_are_held_until_they_arrive(make_robot, policy_spec):
    robot, spec = make_robot("reach"), small_spec()
    hold = RecordedPolicy(policy_spec, np.tile([0.0, 0.6, 0.2, -1.0], (64, 1)))
    result = roll_out(
        robot, hold, spec, Scene(seed=0), "reach the goal", RolloutConfig(max_steps=8, latency_steps=3)
    )
    assert result.held_ticks == 3 * 4


def test_a_robot_whose_pictures_are_not_those_of_the_spec_is_refused(make_robot, policy_spec):
    hold = RecordedPolicy(policy_spec, np.zeros((64, 4)))
    with pytest.raises(ValueError, match=r"'front' is 32x32.*needs 48x48"):
        roll_out(make_robot("reach"), hold, small_spec(48), Scene(seed=0), "reach the goal", RolloutConfig())


def test_executor_refuses_a_jump_of_the_policy(make_robot):
    spec = RobotSpec.load(shared_path("config/robots/metaworld.yaml"))
    executor = ChunkExecutor(spec)
    executor.tick(0, np.array([0.0, 0.6, 0.2, np.nan]))
    rows = np.tile([0.4, 0.6, 0.2, -1.0], (16, 1))
    reason = executor.on_chunk(make_chunk(rows, start_ns=0, step_ns=spec.step_ns), 0)
    assert reason is not None and "x" in reason.text
